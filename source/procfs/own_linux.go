package procfs

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

// ReadRights gives the rights of the calling thread. What can't be asked counts
// as given.
func ReadRights() Rights {
	r := Rights{OwnPIDs: OwnPIDs(), OwnUsers: ownNamespace("user", hostUsers) != 0}
	_, err := os.Readlink("/proc/self/exe")
	r.Refused = errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOSYS)
	if !HasCapability(unix.CAP_SYS_PTRACE) { // to read a link of /proc/PID/fd (proc_fd_access_allowed)
		r.Missing = append(r.Missing, "CAP_SYS_PTRACE")
	}
	if !HasCapability(unix.CAP_DAC_READ_SEARCH) && !HasCapability(unix.CAP_DAC_OVERRIDE) { // to list it (generic_permission)
		r.Missing = append(r.Missing, "CAP_DAC_READ_SEARCH")
	}
	return r
}

// HasCapability reports whether the calling thread has a capability, by its
// number (capabilities(7)). What can't be asked counts as given.
func HasCapability(number int) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData // of capabilities 0 to 31, and from 32
	return unix.Capget(&header, &data[0]) != nil || data[number/32].Effective&(1<<(number%32)) != 0
}

// Self is the pid of this process in the pid namespace that /proc shows, 0 if it is in none
// there.
func Self() int32 {
	link, err := os.Readlink("/proc/self")
	if err != nil {
		return 0
	}
	pid, _ := strconv.ParseInt(link, 10, 32)
	return int32(pid)
}

// OwnScope is the network namespace of this process ("self") or of the calling
// thread ("thread-self"), as far as it can be known.
func OwnScope(task string) source.Scope {
	var scope source.Scope
	scope.Host, _ = os.Hostname() // "" is shown as no name
	scope.Netns = Netns(unix.AT_FDCWD, "/proc/"+task+"/ns/net")
	switch {
	case OwnPIDs(): // process 1 is the container's
		scope.Name = scope.Host
	case withInit(task):
		scope.Name, scope.Kind = "host", source.ScopeHost
	}
	return scope
}

// withInit reports whether a task is in the network namespace of process 1, by
// the link to it or, where we may not ask for that, by a file in it.
func withInit(task string) bool {
	for _, file := range [...]string{"/ns/net", "/net/tcp"} {
		if n := Netns(unix.AT_FDCWD, "/proc/"+task+file); n != 0 && n == Netns(unix.AT_FDCWD, "/proc/1"+file) {
			return true
		}
	}
	return false
}

// Release is the kernel's release, "" if unknown.
func Release() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// The inodes of the first namespaces (PROC_PID_INIT_INO, PROC_USER_INIT_INO).
const (
	hostPIDs  = 0xEFFFFFFC
	hostUsers = 0xEFFFFFFD
)

// OwnPIDs reports whether this process runs in a pid namespace other than the
// first.
func OwnPIDs() bool { return PIDNamespace() != 0 }

// PIDNamespace is the inode of this process's pid namespace, 0 for the first one.
func PIDNamespace() uint64 { return ownNamespace("pid", hostPIDs) }

// ownNamespace is the inode of this process's namespace of a kind, 0 for the
// first one.
func ownNamespace(kind string, first uint64) uint64 {
	var st unix.Stat_t
	if unix.Stat("/proc/self/ns/"+kind, &st) != nil || st.Ino == first {
		return 0
	}
	return st.Ino
}
