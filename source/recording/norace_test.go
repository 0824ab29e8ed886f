//go:build !race

package recording_test

// raced says that the race detector looks on.
const raced = false
