// Package model says what a snapshot means: a [source.Snapshot] and the past
// go in, a [State] comes out, with the figures that kernel.md defines. It does
// no I/O, reads no clock (time comes with the snapshot, so that a replay means
// what the live run meant), and knows nothing of terminals.
package model
