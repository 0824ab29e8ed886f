package spawn

import (
	"errors"

	"golang.org/x/sys/unix"
)

// awaitEnd waits for the end of a child and leaves it to be waited for: so long its
// number is that of no other process and no other group. It reports whether it
// could.
func awaitEnd(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}
