//go:build !linux

package netns

import "ephtop/source"

// Into is for Linux: elsewhere there is one namespace.
func Into(*source.Scope, string) func(func() error) error { return nil }
