// Package guard keeps Bubble Tea from questioning the terminal before the first
// frame. It is imported for that effect alone.
//
// Bubble Tea v1 asks for the terminal's background colour from its init
// (tea_init.go: lipgloss.HasDarkBackground, which makes termenv write OSC 11 and
// a cursor position request) and waits 5 s where no answer comes, as on many
// SSH paths. An answer given in advance makes it skip the question. It must be
// given before Bubble Tea's init: Go initialises the packages that are ready in
// the order of their import paths, this one is ready as soon as lipgloss is, and
// "ephtop/…" sorts before "github.com/…". So it must import nothing but
// lipgloss, and the module's name must go on sorting first.
//
// The answer itself does not matter: no theme of ours asks for it.
package guard

import "github.com/charmbracelet/lipgloss"

// The only init in this program; see the package comment for why.
func init() {
	lipgloss.SetHasDarkBackground(true)
}
