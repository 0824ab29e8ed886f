package procfs

import (
	"os/user"
	"strconv"
)

// maxUsers bounds the names remembered.
const maxUsers = 4096

// Users looks up the names of users and remembers them.
type Users struct{ names map[uint32]string }

// Name gives the name of a user, or the number where it has none.
func (u *Users) Name(uid uint32) string {
	if name, ok := u.names[uid]; ok {
		return name
	}
	name := strconv.FormatUint(uint64(uid), 10)
	if found, err := user.LookupId(name); err == nil && found.Username != "" {
		name = found.Username
	}
	if u.names == nil {
		u.names = make(map[uint32]string)
	}
	if len(u.names) >= maxUsers {
		clear(u.names)
	}
	u.names[uid] = name
	return name
}
