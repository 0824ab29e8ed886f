package fleet

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"sync"
	"time"

	"ephtop/source/spawn"
)

// SSH is how hosts are reached.
type SSH struct {
	// Command is the program and the options that come first, which win over
	// ours; ssh if nil.
	Command []string
	// Remote is what ephtop is called there, as a shell reads it; ephtop if empty.
	Remote string
}

// options are those of every ssh: it asks nothing, gives up on what does not answer,
// and leaves nothing behind that others could use, as the master of a shared
// connection.
var options = []string{
	"-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=2",
	"-o", "ControlMaster=no", "-o", "ClearAllForwardings=yes", "-o", "LogLevel=ERROR",
}

// start starts ephtop on a host, with arguments that a shell leaves alone.
func (s *SSH) start(ctx context.Context, by *spawn.Starter, t Target, arguments string) (*remote, error) {
	command := s.Command
	if len(command) == 0 {
		command = []string{"ssh"}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	words := slices.Concat(command[1:], options, t.args(), []string{cmp.Or(s.Remote, "ephtop") + " " + arguments})
	r := &remote{cmd: exec.CommandContext(ctx, command[0], words...), ctx: ctx, cancel: cancel}
	r.words.pause = func() { sleep(ctx, leastBetween) }
	r.cmd.Stderr = &r.words
	r.cmd.WaitDelay = time.Second
	out, err := r.cmd.StdoutPipe()
	if err == nil {
		err = by.Start(r.cmd)
	}
	if err != nil {
		cancel(nil)
		return nil, err
	}
	r.out = out
	// Somebody who left the group may hold the other end.
	context.AfterFunc(ctx, func() { out.Close() })
	return r, nil
}

// remote is an ephtop that runs on a host.
type remote struct {
	cmd    *exec.Cmd
	out    io.Reader
	words  tongue
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// errSilent is the cause of the end of what does not say anything.
var errSilent = errors.New("silent")

// end waits for its end, and that of all that it has started here, and says why it
// has ended where it has by itself.
func (r *remote) end() Trouble {
	err := spawn.Wait(r.cmd)
	cause := context.Cause(r.ctx)
	r.cancel(nil)
	switch {
	case errors.Is(cause, errSilent):
		return Trouble{Silent, ""}
	case errors.Is(cause, errClosed):
		return Trouble{}
	case cause != nil:
		return Trouble{Failed, cause.Error()}
	case err == nil:
		return Trouble{Ended, "ephtop has ended there"}
	}
	return exitTrouble(r.cmd.ProcessState.ExitCode(), r.words.text())
}

// tongue keeps the first and the last of what is said on standard error.
type tongue struct {
	// pause holds up who says too much at once.
	pause func()
	said  int // since

	mu          sync.Mutex
	first, last []byte
}

const mostWords = 4096

// Write implements [io.Writer], for one that writes.
func (w *tongue) Write(p []byte) (int, error) {
	if w.said += len(p); w.said > mostAtOnce {
		w.said = 0
		w.pause()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(p)
	room := min(len(p), mostWords-len(w.first))
	w.first, p = append(w.first, p[:room]...), p[room:]
	p = p[max(0, len(p)-mostWords):]
	w.last = append(w.last[max(0, min(len(w.last), len(w.last)+len(p)-mostWords)):], p...)
	return n, nil
}

func (w *tongue) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(bytes.Join([][]byte{w.first, w.last}, nil))
}

// Stream is a recording that comes from a host, until it is closed.
type Stream struct {
	*remote
	by   *spawn.Starter
	once sync.Once
	why  Trouble
}

// Open has a host recorded: Read gives what "ephtop record -" writes there.
func (s *SSH) Open(t Target, interval time.Duration) (*Stream, error) {
	by := spawn.NewStarter()
	r, err := s.start(context.Background(), by, t, "record"+every(interval)+" -")
	if err != nil {
		by.Close()
		return nil, notStarted(err)
	}
	return &Stream{remote: r, by: by}, nil
}

// every is the flag of an interval, where one was asked for.
func every(interval time.Duration) string {
	if interval == 0 {
		return ""
	}
	return " --interval " + interval.String()
}

// notStarted is about what runs here.
func notStarted(err error) error {
	var missing *exec.Error
	if errors.As(err, &missing) {
		return fmt.Errorf("%s can't be run: %w", missing.Name, missing.Err)
	}
	return err
}

// Read reads what comes.
func (s *Stream) Read(p []byte) (int, error) { return s.out.Read(p) }

// errClosed is the cause of the end of what nobody wants any more.
var errClosed = errors.New("closed")

// Close ends the recording there, and waits for ssh.
func (s *Stream) Close() error {
	s.Trouble(0)
	return nil
}

// Trouble says why the stream has ended. What has not, within a while, is closed.
func (s *Stream) Trouble(within time.Duration) Trouble {
	late := time.AfterFunc(within, func() { s.cancel(errClosed) })
	defer late.Stop()
	s.once.Do(func() {
		s.why = s.end()
		s.by.Close()
	})
	return s.why
}
