// Package export draws the frames of a recording as a person would have seen
// them: a [Film] is the dashboard's own model and painter, played without a
// terminal, with [Keys] that a script presses. The packages below it write a
// Film in a form: cast, svg and page.
//
// The same recording and the same options give the same frames, on any machine.
package export
