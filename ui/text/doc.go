// Package text writes figures, times and foreign text as people read them. The
// dashboard and the plain reports share it, so that one number looks the same
// everywhere.
//
// It depends on the standard library and, for widths, on x/ansi. It must not
// know what its texts are about, nor of colours and terminals.
package text
