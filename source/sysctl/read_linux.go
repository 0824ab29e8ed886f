package sysctl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/procfs"
)

// The sysctls that are read, by name and by path under the root.
const (
	localRange = iota
	reservedPorts
	twReuse
	twReuseDelay
	timestamps
	maxTWBuckets

	numFiles
)

var names = [numFiles]string{
	"net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_tw_reuse",
	"net.ipv4.tcp_tw_reuse_delay", "net.ipv4.tcp_timestamps", "net.ipv4.tcp_max_tw_buckets",
}

// Reader reads the settings, once for each poll.
type Reader struct {
	paths [numFiles]string
	kept  *[numFiles]keptFile // nil where the files are opened anew by each read

	// buf holds what the files said, one after the other; last is buf of the
	// read before, which made settings and limits.
	buf      *[]byte
	last     []byte
	valid    bool
	settings source.Settings
	limits   []source.Limit
}

// file is what one file said, or why it said nothing.
type file struct {
	start, end int // in Reader.buf
	err        error
}

// New makes a reader of the settings of the calling thread's network namespace.
func New() *Reader { return NewAt("/proc/sys") }

// NewAt makes a reader of a tree that looks like /proc/sys.
func NewAt(root string) *Reader {
	r := &Reader{buf: new([]byte)}
	for i, name := range names {
		r.paths[i] = root + "/" + strings.ReplaceAll(name, ".", "/")
	}
	return r
}

// Read sets s.Settings, and adds to m.Limits what could not be read. The
// files under /proc/sys/net are those of the network namespace of the thread
// that opens them, so they are opened anew each time. Nothing may change
// s.Settings.Reserved, which the next Read may hand out again.
//
// A file that is missing or may not be read is no error: the range of
// [Defaults] stands in for it. One that makes no sense is, and the error names
// the sysctl; it wraps source.ErrRange where that is the range.
func (r *Reader) Read(_ context.Context, m *source.Moment, s *source.Snapshot) error {
	files := r.readFiles()
	if err := files[localRange].err; r.kept != nil && errors.Is(err, unix.ENOENT) && r.kept[localRange].err == nil {
		return ErrGone
	}
	if !r.valid || !bytes.Equal(*r.buf, r.last) {
		settings, limits, err := r.parse(&files)
		r.valid = err == nil
		if err != nil {
			return err
		}
		r.settings, r.limits = settings, limits
		r.last = append(r.last[:0], *r.buf...)
	}
	s.Settings = r.settings
	m.Limits = append(m.Limits, r.limits...)
	return nil
}

// readFiles fills r.buf. Each file leaves its outcome in it too, so that two
// equal buffers mean the same in every respect.
func (r *Reader) readFiles() (files [numFiles]file) {
	buf := (*r.buf)[:0]
	for i := range files {
		f := &files[i]
		f.start = len(buf)
		buf, f.err = appendFile(buf, func(b []byte) (int, error) { return r.readOnce(i, b) })
		f.end = len(buf)
		var errno unix.Errno
		errors.As(f.err, &errno)
		buf = append(buf, 0, byte(errno), byte(errno>>8))
	}
	*r.buf = buf
	return files
}

func (r *Reader) parse(files *[numFiles]file) (source.Settings, []source.Limit, error) {
	text := func(i int) (string, bool) { f := files[i]; return string((*r.buf)[f.start:f.end]), f.err == nil }
	for i := range files {
		if err := files[i].err; err != nil && !isAbsent(err) {
			return source.Settings{}, nil, fmt.Errorf("read %s: %w", names[i], err)
		}
	}
	var problems []error
	number := func(i, missing int, limit int64) int {
		value, ok := text(i)
		if !ok {
			return missing
		}
		n, err := parseNumber(value, limit)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", names[i], err))
		}
		return n
	}

	s := Defaults("linux", procfs.Release())
	var limits []source.Limit
	limit := func(code source.LimitCode, i int) {
		limits = append(limits, source.Limit{Code: code, Detail: fmt.Sprintf("%s: %v", names[i], files[i].err)})
	}
	if value, ok := text(localRange); ok {
		var err error
		s.Assumed = false
		if s.Range, err = parseRange(value); err != nil {
			return s, nil, fmt.Errorf("%s: %w", names[localRange], err)
		}
	} else {
		limit(source.LimitRange, localRange)
	}
	if value, ok := text(reservedPorts); ok {
		var err error
		if s.Reserved, err = parseReserved(value); err != nil {
			return s, nil, fmt.Errorf("%s: %w", names[reservedPorts], err)
		}
	} else {
		limit(source.LimitReserved, reservedPorts)
	}
	s.ReuseTimeWait = number(twReuse, source.UnknownSetting, math.MaxUint8)
	s.Timestamps = number(timestamps, source.UnknownSetting, math.MaxUint8)
	delay := number(twReuseDelay, int(fixedReuseDelay.Milliseconds()), math.MaxInt32)
	s.ReuseDelay = time.Duration(delay) * time.Millisecond
	if value, ok := text(maxTWBuckets); ok {
		n, err := parseLimit(value)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", names[maxTWBuckets], err))
		}
		s.MaxTimeWait = n
	}
	if len(problems) > 0 {
		return s, nil, problems[0]
	}
	if s.ReuseTimeWait == source.UnknownSetting {
		limit(source.LimitReuse, twReuse)
	}
	return s, limits, nil
}

// appendFile appends the content of a file to buf. The whole content must fit
// into one read: the kernel writes a list of ports as far as the buffer goes,
// and has nothing for a second read (proc_do_large_bitmap). os.ReadFile, which
// begins with 512 bytes, would cut a long list.
func appendFile(buf []byte, read func([]byte) (int, error)) ([]byte, error) {
	for room := 4096; ; room *= 4 {
		buf = slices.Grow(buf, room)
		n, err := read(buf[len(buf) : len(buf)+room])
		if err != nil || n < room {
			return buf[:len(buf)+max(n, 0)], err
		}
	}
}

// readOnce reads what one read of a file gives.
func (r *Reader) readOnce(i int, buf []byte) (int, error) {
	if r.kept != nil {
		if err := r.kept[i].err; err != nil {
			return 0, err
		}
		return unix.Pread(r.kept[i].fd, buf, 0)
	}
	fd, err := unix.Open(r.paths[i], unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	return unix.Read(fd, buf)
}

// isAbsent tells whether a file is not there or not for us. Any other failure,
// such as no descriptors left, says nothing of the system's settings.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.ENOTDIR)
}
