// Package spawn starts programs that end with this one.
//
// It depends on the standard library and golang.org/x/sys only.
package spawn

import "os/exec"

// Together puts a command of [exec.CommandContext] into a process group of its
// own, as far as the system has those, and lets the end of its context kill the
// group: what it has started would go on by itself. Keys like ctrl+c do not reach
// such a group.
func Together(cmd *exec.Cmd) { together(cmd) }

// Wait is [exec.Cmd.Wait] for a command of Together: where it has ended by itself,
// what is left of its group is killed.
func Wait(cmd *exec.Cmd) error { return wait(cmd) }
