package procfs

import (
	"os"
	"path/filepath"
	"testing"
)

// A module that is loaded is known by its directory, one that is built in by its
// symbols, and one that is neither is not there.
func TestHasModule(t *testing.T) {
	t.Parallel()
	loaded, err := filepath.Glob("/sys/module/*")
	if err != nil || len(loaded) == 0 {
		t.Skip("no module is loaded")
	}
	if name := filepath.Base(loaded[0]); !HasModule(name, "") {
		t.Errorf("%s is not there", name)
	}
	if HasModule("no_such_module", "no_such_symbol") {
		t.Error("a module that nobody made is there")
	}
	if _, err := os.Stat("/proc/kallsyms"); err == nil && !HasModule("no_such_module", "tcp_v4_rcv") {
		t.Error("a symbol of the kernel is not there")
	}
}
