package procfs

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"time"
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
// when it gives up.
type Users struct {
	// Path is another file, which tests need.
	Path string

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

// refresh reads the file if it is another than before. One that can't be read
// leaves what was.
func (u *Users) refresh() {
	path := u.Path
	if path == "" {
		path = "/etc/passwd"
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() == u.size && info.ModTime().Equal(u.changed) {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPasswd))
	if err != nil {
		return
	}
	u.names, u.size, u.changed = ParsePasswd(b), info.Size(), info.ModTime()
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
