package theme

import "ephtop/ui/screen"

// Role is what a piece of the screen is there for; its value is the style that
// package screen draws it with.
type Role = screen.Style

// The roles. Text is the terminal's own look in most themes.
const (
	Text Role = iota
	Dim
	Strong
	Title
	Brand
	Border
	BorderFocus
	Selected
	Key
	Filter
	Cursor
	Command // what can be typed at a shell

	// The stages of a port's life, and what a gauge is stacked of.
	Assigned
	Active
	TimeWait
	Server
	Live
	Blocked
	Free
	Chart

	// The levels, in rising order.
	OK
	Warn
	Critical
	Exhausted

	NumRoles = int(iota)
)
