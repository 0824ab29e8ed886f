//go:build unix

package host

import (
	"os/exec"
	"syscall"
)

// killTogether puts a command into a process group of its own, and lets the end
// of its context kill the group: a wrapper's child would go on by itself.
func killTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
