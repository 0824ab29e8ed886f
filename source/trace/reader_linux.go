package trace

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source/procfs"
)

// reader takes records out of the ring buffers of an instance of our own.
type reader struct {
	root    *os.Root // of tracefs
	name    string   // of the instance
	dir     *os.Root // of the instance
	decoder decoder
	pipes   []pipe
	set     []unix.PollFd // to ask which pipes hold something
	page    []byte
}

// pipe is the buffer of one CPU.
type pipe struct {
	cpu, fd int
	lost    uint64 // events lost, as last read
}

const (
	// maxPage is the largest page of any architecture; a read gives one page.
	maxPage = 64 << 10

	// maxPages bounds what one pass reads from one CPU, for a flood of events
	// may come faster than they can be read.
	maxPages = 1024
)

// open sets an instance up and opens its buffers. What it opened is for close,
// also after an error.
func (r *reader) open(proc *procfs.Reader) (err error) {
	r.page = make([]byte, maxPage)
	r.decoder.order = nativeOrder()
	if r.root, err = openTracefs(); err != nil {
		return err
	}
	if err := r.newInstance(proc); err != nil {
		return err
	}
	if err := r.openPipes(); err != nil {
		return err
	}
	if err := r.configure(); err != nil {
		return err
	}
	if err := r.layouts(); err != nil {
		return err
	}
	return write(r.dir, eventPath+"/enable", "1")
}

// read appends all records that are there, CPU by CPU, and tells how many were
// lost. It reads on after a page that makes no sense.
func (r *reader) read(records []record) (_ []record, lost uint64, err error) {
	if _, err := unix.Poll(r.set, 0); err != nil && !errors.Is(err, unix.EINTR) {
		return records, 0, fmt.Errorf("poll: %w", err)
	}
	for i := range r.set {
		if r.set[i].Revents&unix.POLLIN == 0 {
			continue
		}
		p := &r.pipes[i]
		var missed bool
		var readErr, lostErr error
		records, missed, readErr = r.readPipe(p, records)
		if missed {
			before := p.lost
			lostErr = r.countLost(p)
			lost += p.lost - before
		}
		err = cmp.Or(err, readErr, lostErr)
	}
	return records, lost, err
}

func (r *reader) readPipe(p *pipe, records []record) (_ []record, missed bool, err error) {
	for range maxPages {
		n, readErr := unix.Read(p.fd, r.page)
		switch {
		case readErr == unix.EINTR:
			continue
		case readErr == unix.EAGAIN, readErr == nil && n == 0:
			return records, missed, err
		case readErr != nil:
			return records, missed, fmt.Errorf("buffer of cpu %d: %w", p.cpu, readErr)
		}
		var some bool
		var pageErr error
		records, some, pageErr = r.decoder.decode(r.page[:n], records)
		missed, err = missed || some, cmp.Or(err, pageErr)
	}
	return records, missed, err
}

// countLost asks how many events were lost on a CPU. A page says only that
// there were some.
func (r *reader) countLost(p *pipe) error {
	text, err := r.dir.ReadFile(fmt.Sprintf("per_cpu/cpu%d/stats", p.cpu))
	p.lost = max(p.lost, parseLost(string(text)))
	return err
}

// parseLost adds up what tracing_stats_read calls by three names: overwritten
// before they were read, pushed out by an interrupt, and refused.
func parseLost(text string) uint64 {
	var sum uint64
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "overrun", "commit overrun", "dropped events":
			n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			if err == nil {
				sum += n
			}
		}
	}
	return sum
}

// savedNames gives the names of threads that the kernel remembers, of those
// that were traced of late.
func (r *reader) savedNames() map[int32]string {
	text, _ := r.root.ReadFile("saved_cmdlines") // none are known without it
	return parseComms(string(text))
}

// parseComms reads the file saved_cmdlines of tracefs: a thread id and its
// name on each line.
func parseComms(text string) map[int32]string {
	comms := make(map[int32]string)
	for line := range strings.Lines(text) {
		digits, comm, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		tid, err := strconv.ParseInt(digits, 10, 32)
		if ok && err == nil {
			comms[int32(tid)] = comm
		}
	}
	return comms
}

// close takes the instance away again, which no pipe may have open then.
func (r *reader) close() error {
	for _, p := range r.pipes {
		unix.Close(p.fd)
	}
	if r.dir != nil {
		r.dir.Close()
	}
	if r.root == nil {
		return nil
	}
	defer r.root.Close()
	if r.name == "" {
		return nil
	}
	err := r.root.Remove(instances + r.name)
	for end := time.Now().Add(closePatience); errors.Is(err, unix.EBUSY) && time.Now().Before(end); {
		// Who is about to exec(2) something has all that is open for a moment.
		time.Sleep(10 * time.Millisecond)
		err = r.root.Remove(instances + r.name)
	}
	if err != nil {
		return fmt.Errorf("remove the tracefs instance: %w", err)
	}
	return nil
}
