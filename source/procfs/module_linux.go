package procfs

import (
	"bufio"
	"io"
	"os"
	"strings"
)

// HasModule reports whether a module of the kernel is loaded, or built in, in which
// case it has a symbol. Where nothing else tells, the list of the kernel's symbols is
// read for it, a hundred thousand lines: ask once. To use what a module is for may load
// it; this does not.
func HasModule(module, symbol string) bool {
	if _, err := os.Stat("/sys/module/" + module); err == nil {
		return true
	}
	return has("/lib/modules/"+Release()+"/modules.builtin", func(line string) bool {
		return strings.HasSuffix(line, "/"+module+".ko")
	}) || has("/proc/kallsyms", func(line string) bool { // names are there for everybody, addresses are not
		return strings.HasSuffix(line, " "+symbol)
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
