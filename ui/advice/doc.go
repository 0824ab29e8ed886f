// Package advice puts into words what package model found: what was seen, why
// it matters, and what would help, with the exact command and its effect in
// ports or closes per second on this very host. Nothing is ever changed; the
// commands are for whoever reads them.
//
// It depends on package model and on ui/text for numbers and for names of
// foreign origin. It must not know where a State comes from, nor whether its
// words end up on a screen, in a page or in JSON.
package advice
