//go:build !race

// Package race tells tests whether the race detector watches them: it makes all
// that is computed ten times slower, and finds nothing where one goroutine
// computes alone. Only tests import it.
package race

// Enabled reports whether the race detector watches this build.
const Enabled = false
