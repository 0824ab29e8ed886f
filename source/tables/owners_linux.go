//go:build amd64 || arm64

package tables

import "fmt"

// fileSteps is how many descriptors, or words of 64 of them, one call looks at.
const (
	fileSteps    = 1 << 13
	maxFileSteps = 1 << 22
)

// Owners calls f for each descriptor of a process that is a socket: of all
// processes, wherever they are. The pid is that of the first pid namespace. If
// sought is not nil, f is called for the inodes in it, and for some others.
// What a process hides is not seen: descriptors on their way between processes,
// and those of one whose first thread has ended.
func (e *Engine) Owners(sought []uint32, f func(pid, fd int32, inode uint32)) error {
	m := e.memory
	m.request = request{descriptor: uint32(e.socket), rows: maxFDs - 64, steps: fileSteps}
	if sought != nil {
		m.request.filter = 1
		clear(m.sought[:])
		for _, inode := range sought { // inodes of sockets are counted up: their low bits differ
			inode %= soughtBits
			m.sought[inode>>6] |= 1 << (inode & 63)
		}
	}
	for {
		if err := e.run(walkFiles); err != nil {
			return fmt.Errorf("look for the owners of sockets: %w", err)
		}
		for _, d := range m.fds[:min(m.result.count, maxFDs)] {
			f(int32(d.pid), int32(d.fd), d.inode)
		}
		if m.result.done != 0 {
			return nil
		}
		if m.request.start == m.result.start && m.request.pid == m.result.pid && m.request.word == m.result.word {
			if m.request.steps *= 2; m.request.steps > maxFileSteps { // more processes to skip than steps
				return tooMany("the processes are more than %d", maxFileSteps)
			}
		}
		m.request.start, m.request.pid, m.request.word = m.result.start, m.result.pid, m.result.word
	}
}
