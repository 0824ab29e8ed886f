//go:build !linux

package command_test

// beHelper has nothing to do: the tests with helpers are for Linux.
func beHelper() {}
