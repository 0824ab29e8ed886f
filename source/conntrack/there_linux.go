package conntrack

import (
	"bufio"
	"os"
	"strings"
)

// asks reports whether the kernel answers about entries without a module being
// loaded for it: that one may be built in, and is no module then.
func asks() bool {
	if _, err := os.Stat("/sys/module/nf_conntrack_netlink"); err == nil {
		return true
	}
	return hasSymbol("/proc/kallsyms", "ctnetlink_get_conntrack")
}

// hasSymbol reports whether a list of the kernel's symbols has one. Their names are
// there for everybody; their addresses are not.
func hasSymbol(path, name string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) >= 3 && fields[2] == name {
			return true
		}
	}
	return false
}
