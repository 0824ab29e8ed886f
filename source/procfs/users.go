package procfs

import (
	"bytes"
	"cmp"
	"io"
	"os"
	"strconv"
	"time"

	"ephtop/source/guard"
)

const (
	// maxUsers is how many names there are from which on no more numbers are
	// remembered among them.
	maxUsers = 4096
	// maxPasswd is how much of the file is read, in bytes.
	maxPasswd = 16 << 20
)

// Users knows the names of users by /etc/passwd. It asks no name service: that
// may need the network, of whose trouble we are to tell, and let nobody know
// when it gives up. So may the file, on a host whose root is one of a server:
// that is not waited for either.
type Users struct {
	// Path is another file, which tests need.
	Path string

	passwd
	aside guard.Aside
}

// passwd is the file as it was read.
type passwd struct {
	names   map[uint32]string // or the number, of those without a name
	size    int64
	changed time.Time
}

// Name gives the name of a user, or the number where the file has none.
func (u *Users) Name(uid uint32) string {
	u.refresh()
	name, ok := u.names[uid]
	if !ok {
		name = strconv.FormatUint(uint64(uid), 10)
		if u.names == nil {
			u.names = make(map[uint32]string)
		}
		if len(u.names) < maxUsers {
			u.names[uid] = name
		}
	}
	return name
}

// late names the file while it does not answer.
func (u *Users) late() string { return u.aside.Late() }

// refresh reads the file if it is another than before. One that can't be read
// leaves what was.
func (u *Users) refresh() {
	path, before := cmp.Or(u.Path, "/etc/passwd"), u.passwd
	var now passwd
	if u.aside.Do(path, func() { now = before.reread(path) }) == nil {
		u.passwd = now
	}
}

// reread gives what the file holds now, or what is there already.
func (p passwd) reread(path string) passwd {
	info, err := os.Stat(path)
	if err != nil || info.Size() == p.size && info.ModTime().Equal(p.changed) {
		return p
	}
	f, err := os.Open(path)
	if err != nil {
		return p
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPasswd))
	if err != nil {
		return p
	}
	return passwd{ParsePasswd(b), info.Size(), info.ModTime()}
}

// ParsePasswd reads the names of users from what passwd(5) describes. Of two
// with one number the first counts, as for getpwuid(3). Lines that make no
// sense, and those that refer to a name service ("+"), are passed over.
func ParsePasswd(b []byte) map[uint32]string {
	names := make(map[uint32]string)
	for line := range bytes.Lines(b) {
		name, rest, _ := bytes.Cut(line, []byte(":"))
		_, number, ok := bytes.Cut(rest, []byte(":")) // behind the password
		uid, rest, isNumber := ParseUint(number, 1<<32-1)
		if !ok || !isNumber || len(rest) == 0 || rest[0] != ':' || len(name) == 0 || bytes.IndexByte([]byte("+-#"), name[0]) >= 0 {
			continue
		}
		if _, ok := names[uint32(uid)]; !ok {
			names[uint32(uid)] = string(name)
		}
	}
	return names
}
