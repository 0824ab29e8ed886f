package spawn

import (
	"os/exec"
	"runtime"
	"syscall"
)

// run starts all commands in one thread, which lives until the end: what is to die
// with who started it dies with the thread (prctl(2), PR_SET_PDEATHSIG).
func (s *Starter) run() {
	defer close(s.ended)
	runtime.LockOSThread() // and the thread ends with the goroutine
	for one := range s.starts {
		one.err <- one.cmd.Start()
	}
}

func dieWithUs(cmd *exec.Cmd) { cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL }
