//go:build race

package recording_test

// raced says that the race detector looks on, which makes everything many
// times as slow. What has no goroutines of its own is tried less with it.
const raced = true
