package conntrack

import (
	"bufio"
	"io"
	"os"
	"strings"
)

// Answers reports whether the kernel tells of entries without a module being loaded
// for it (nf_conntrack_netlink). Where that is built in, the list of the kernel's
// symbols may have to be read for it, a hundred thousand lines: it is asked once.
func Answers(release string) bool {
	if _, err := os.Stat("/sys/module/nf_conntrack_netlink"); err == nil {
		return true
	}
	return has("/lib/modules/"+release+"/modules.builtin", func(line string) bool {
		return strings.HasSuffix(line, "/nf_conntrack_netlink.ko")
	}) || has("/proc/kallsyms", func(line string) bool { // names are there for everybody, addresses are not
		return strings.HasSuffix(line, " ctnetlink_get_conntrack")
	})
}

// has reports whether a file has a line.
func has(path string, is func(line string) bool) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	for lines := bufio.NewScanner(io.LimitReader(f, 64<<20)); lines.Scan(); {
		if is(lines.Text()) {
			return true
		}
	}
	return false
}
