package trace

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// reader takes records out of the buffers of an instance.
type reader struct {
	root     directory
	instance *instance
	decoder  decoder
	pipes    []pipe
	set      []unix.PollFd // to ask which pipes hold something
	page     []byte
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

// start sets the instance up and opens its buffers.
func (r *reader) start(bufferKB int) error {
	r.page = make([]byte, maxPage)
	r.decoder.order = nativeOrder()
	if err := r.instance.configure(bufferKB); err != nil {
		return err
	}
	if err := r.instance.decoder(&r.decoder); err != nil {
		return err
	}
	for _, cpu := range r.instance.cpus {
		fd, err := r.instance.openPipe(cpu)
		if err != nil {
			return err
		}
		r.pipes = append(r.pipes, pipe{cpu: cpu, fd: fd})
		r.set = append(r.set, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	return r.instance.enable()
}

func (r *reader) descriptors() []int32 {
	var fds []int32
	for _, p := range r.pipes {
		fds = append(fds, int32(p.fd))
	}
	return fds
}

// read appends all records that are there, CPU by CPU, and tells how many were
// lost. It reads on after a page that makes no sense.
func (r *reader) read(records []record) (_ []record, lost uint64, err error) {
	if _, err := unix.Poll(r.set, 0); err != nil && !errors.Is(err, unix.EINTR) {
		return records, 0, fmt.Errorf("poll: %w", err)
	}
	var errs error
	for i := range r.set {
		if r.set[i].Revents&unix.POLLIN == 0 {
			continue
		}
		var missed bool
		if records, missed, err = r.readPipe(&r.pipes[i], records); err != nil {
			errs = err
		}
		if missed {
			n, err := r.lost(&r.pipes[i])
			if err != nil {
				errs = err
			}
			lost += n
		}
	}
	return records, lost, errs
}

func (r *reader) readPipe(p *pipe, records []record) (_ []record, missed bool, err error) {
	for range maxPages {
		n, readErr := unix.Read(p.fd, r.page)
		if errors.Is(readErr, unix.EINTR) {
			continue
		}
		if errors.Is(readErr, unix.EAGAIN) || readErr == nil && n == 0 {
			break
		}
		if readErr != nil {
			return records, missed, fmt.Errorf("buffer of cpu %d: %w", p.cpu, readErr)
		}
		var some bool
		var pageErr error
		records, some, pageErr = r.decoder.decode(r.page[:n], records)
		missed = missed || some
		if err == nil {
			err = pageErr
		}
	}
	return records, missed, err
}

// lost tells how many events were lost on a CPU since it was asked last. A
// page says only that there were some.
func (r *reader) lost(p *pipe) (uint64, error) {
	sum, err := r.instance.lost(p.cpu)
	if err != nil || sum < p.lost {
		return 0, err
	}
	n := sum - p.lost
	p.lost = sum
	return n, nil
}

// savedNames gives the names of threads that the kernel remembers, of those
// that were traced of late.
func (r *reader) savedNames() map[int32]string {
	text, err := r.root.read("saved_cmdlines")
	if err != nil {
		return map[int32]string{}
	}
	return parseComms(text)
}

// close takes the instance away again.
func (r *reader) close() error {
	for _, p := range r.pipes {
		unix.Close(p.fd)
	}
	var err error
	if r.instance != nil {
		err = r.instance.remove()
	}
	if r.root > 0 {
		r.root.close()
	}
	return err
}
