// Package screen is a grid of character cells that panes draw on, and that is
// written to the terminal as one string: whole ([Canvas.Append]), or the cells
// that differ from what the terminal shows ([Canvas.AppendChanges]). It knows
// boxes, bars and text that is cut to its field; every write is clipped to the
// grid, so that whatever is drawn, a frame has exactly its width and height.
//
// It depends on x/ansi for the widths of characters, as Bubble Tea does. It
// must not know what is drawn, nor which colours there are: a cell has the
// number of a style, and [Canvas.Append] is told what the styles look like.
package screen
