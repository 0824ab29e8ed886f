package memory

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// leaveProgram lets go of the pages of the program. Of twenty megabytes, many were
// needed to set up all libraries and never again; the others come from the page
// cache when they are. Where that fails, nothing is lost.
func leaveProgram() {
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer maps.Close()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	var begin, end uintptr
	ours := false
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		line := lines.Text()
		if name, size, _ := strings.Cut(line, ":"); name == "Anonymous" && ours && strings.TrimSpace(size) == "0 kB" {
			// All of it is as it is in the file: no loader or tracer has changed a page.
			_, _, _ = syscall.RawSyscall(syscall.SYS_MADVISE, begin, end-begin, syscall.MADV_DONTNEED)
		} else if strings.Contains(name, "-") {
			begin, end, ours = readOnly(line, program)
		}
	}
}

// readOnly gives the addresses of the first line of an entry of smaps
// (proc_pid_smaps(5)) that is of a file, privately, and can't be written to.
func readOnly(line, file string) (begin, end uintptr, ok bool) {
	var mode, offset, device, inode string
	n, _ := fmt.Sscanf(line, "%x-%x %s %s %s %s", &begin, &end, &mode, &offset, &device, &inode)
	return begin, end, n == 6 && begin < end && strings.HasPrefix(mode, "r-") && strings.HasSuffix(mode, "p") &&
		strings.HasSuffix(line, " "+file)
}
