//go:build !linux

package spawn

import "os/exec"

func (s *Starter) run() {
	defer close(s.ended)
	for one := range s.starts {
		one.err <- one.cmd.Start()
	}
}

func dieWithUs(*exec.Cmd) {}
