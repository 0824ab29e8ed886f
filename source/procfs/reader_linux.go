package procfs

import (
	"cmp"
	"runtime"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/guard"
)

// Reader reads what the files of processes and threads say below Root. It is
// not safe for concurrent use.
type Reader struct {
	Root  string // /proc but in tests
	Users Users
	// Cgroup gives the id of the control group that the content of
	// /proc/PID/cgroup names, which is its only until it returns; nil where
	// nobody wants to know.
	Cgroup func(file []byte) uint64

	path, buf []byte // used again by each call
	commands  guard.Aside
}

// maxFile is how much of a file is read. A file of /proc comes whole in one
// read, but for a command line of more than 4 KB, which is cut anyway.
const maxFile = 8 << 10

// Names below /proc/PID, ended by NUL for OpenAt.
var (
	pathStat    = []byte("stat\x00")
	pathStatus  = []byte("status\x00")
	pathCommand = []byte("cmdline\x00")
	pathCgroup  = []byte("cgroup\x00")
)

// Path gives the path of a process or thread with name behind it, ended by NUL
// for OpenAt. The next call overwrites it.
func (r *Reader) Path(id int32, name string) []byte {
	r.path = append(append(r.path[:0], r.Root...), '/')
	r.path = append(strconv.AppendInt(r.path, int64(id), 10), name...)
	r.path = append(r.path, 0)
	return r.path
}

// Open opens the directory of a process or thread, and tells by its Stat
// which one that is; the next call overwrites Comm. What is opened below the
// directory can't be another's, for the kernel ties it to the process and not
// to its number.
func (r *Reader) Open(id int32) (dir int, s Stat, err error) {
	dir, err = OpenAt(unix.AT_FDCWD, r.Path(id, ""), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return -1, Stat{}, err
	}
	b, err := r.read(dir, pathStat)
	if err == nil {
		s, err = ParseStat(b)
	}
	if err != nil {
		unix.Close(dir)
		return -1, Stat{}, err
	}
	return dir, s, nil
}

// Late names what does not answer, "" for nothing: what it says is missing until
// it does.
func (r *Reader) Late() string { return cmp.Or(r.commands.Late(), r.Users.late()) }

// Describe sets in p what the open directory of a process, or of a thread of
// it, with the number id says beyond its Stat, and reports whether it said whose
// process it is. What can't be read is left as it was: a process may end at any
// moment.
func (r *Reader) Describe(dir int, id int32, p *source.Process) bool {
	if b, err := r.readCommand(dir, id, pathCommand); err == nil {
		if b = JoinCommand(b); p.Command != string(b) {
			p.Command = string(b)
		}
	}
	if r.Cgroup != nil {
		if b, err := r.read(dir, pathCgroup); err == nil {
			p.Cgroup = r.Cgroup(b)
		}
	}
	b, err := r.read(dir, pathStatus)
	if err != nil {
		return false
	}
	s, ok := ParseStatus(b)
	if ok {
		p.PID, p.UID, p.User, p.NSPID = s.PID, s.UID, r.Users.Name(s.UID), s.NSPID
	}
	return ok
}

// ReadFile gives the beginning of a file of a process, such as "/net/sockstat".
// The next call overwrites it.
func (r *Reader) ReadFile(id int32, name string) ([]byte, error) {
	return r.read(unix.AT_FDCWD, r.Path(id, name))
}

// ReadCommand gives the beginning of the command line of a process, its words
// ended by NUL. The next call overwrites it.
func (r *Reader) ReadCommand(id int32) ([]byte, error) {
	return r.readCommand(unix.AT_FDCWD, id, r.Path(id, "/cmdline"))
}

// readCommand is read for a command line. That one is in the memory of its
// process, whose lock may be held for as long as a file server or a user's file
// system does not answer the process: it is the file on which ps(1) hangs.
func (r *Reader) readCommand(dir int, id int32, path []byte) ([]byte, error) {
	r.makeBuf()
	path, buf := slices.Clone(path), r.buf
	var read []byte
	var err error
	late := r.commands.Do("/proc/"+strconv.Itoa(int(id))+"/cmdline", func() { read, err = readAt(dir, path, buf) })
	if late != nil {
		r.buf = nil // is written to when it answers
		return nil, late
	}
	return read, err
}

// read reads the beginning of a file into memory that the next call
// overwrites.
func (r *Reader) read(dir int, path []byte) ([]byte, error) {
	r.makeBuf()
	return readAt(dir, path, r.buf)
}

func (r *Reader) makeBuf() {
	if r.buf == nil {
		r.buf = make([]byte, maxFile)
	}
}

func readAt(dir int, path, buf []byte) ([]byte, error) {
	fd, err := OpenAt(dir, path, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, buf)
	return buf[:max(n, 0)], err
}

// OpenAt is openat(2). The one of x/sys/unix copies the path on each call; this
// takes it as it is, ended by NUL, and allocates nothing.
func OpenAt(dir int, path []byte, flags int) (int, error) {
	fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(&path[0])),
		uintptr(flags|unix.O_CLOEXEC), 0, 0, 0)
	runtime.KeepAlive(path)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

// Netns gives the inode number of the network namespace that a file such as
// /proc/PID/ns/net stands for, as source.Scope has it; 0 where that can't be
// asked.
func Netns(dir int, path string) uint64 {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, path, &st, 0); err != nil {
		return 0
	}
	return st.Ino
}
