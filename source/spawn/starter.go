package spawn

import "os/exec"

// Starter starts commands that do not outlive this program, even where it is
// killed (Linux; elsewhere they find out when they write).
type Starter struct {
	starts chan start
	ended  chan struct{}
}

type start struct {
	cmd *exec.Cmd
	err chan error
}

// NewStarter makes a Starter, which must be closed.
func NewStarter() *Starter {
	s := &Starter{make(chan start), make(chan struct{})}
	go s.run()
	return s
}

// Start is [exec.Cmd.Start] for a command of [exec.CommandContext], which gets a
// process group of its own, as of Together. It must not be called after Close.
func (s *Starter) Start(cmd *exec.Cmd) error {
	Together(cmd)
	dieWithUs(cmd)
	one := start{cmd, make(chan error, 1)}
	s.starts <- one
	return <-one.err
}

// Close ends the Starter, and may end what it has started: whoever did waits for
// that first.
func (s *Starter) Close() {
	close(s.starts)
	<-s.ended
}
