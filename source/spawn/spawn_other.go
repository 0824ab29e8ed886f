//go:build !unix

package spawn

import "os/exec"

func together(*exec.Cmd) {}

func wait(cmd *exec.Cmd) error { return cmd.Wait() }
