//go:build unix

package spawn

import (
	"os/exec"
	"syscall"
)

func together(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.Cancel = func() error { return killGroup(cmd) }
}

func wait(cmd *exec.Cmd) error {
	if awaitEnd(cmd.Process.Pid) {
		_ = killGroup(cmd) // there may be nobody left
		return cmd.Wait()
	}
	err := cmd.Wait()
	_ = killGroup(cmd)
	return err
}

func killGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
