package procfs

import (
	"bytes"
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParsePasswd(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		want       map[uint32]string
	}{
		{"as it is", "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/:/bin/false\n", map[uint32]string{0: "root", 33: "www-data"}},
		{"the first of two names", "root:x:0:0:::\ntoor:x:0:0:::\n", map[uint32]string{0: "root"}},
		{"without a last newline", "ada:x:1000:1000:::", map[uint32]string{1000: "ada"}},
		{"the largest number", "nobody:*:4294967295:0:::\n", map[uint32]string{1<<32 - 1: "nobody"}},
		{"too large a number", "nobody:*:4294967296:0:::\n", map[uint32]string{}},
		{"no number", "ada:x::0:::\nbob:x:12a:0:::\ncat:x:-1:0:::\n", map[uint32]string{}},
		{"cut", "ada:x:1000\nbob:x\ncat\n\n:x:5:5:::\n", map[uint32]string{}},
		{"references to NIS, and a comment", "+eve:x:7:7:::\n-bob:x:8:8:::\n#cat:x:9:9:::\n+::::::\n", map[uint32]string{}},
		{"empty", "", map[uint32]string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, ParsePasswd([]byte(test.text))); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParsePasswd(f *testing.F) {
	f.Add([]byte("root:x:0:0:root:/root:/bin/bash\n+::::::\nada:x:1000:"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for uid, name := range ParsePasswd(b) {
			if name == "" || strings.ContainsAny(name, ":\n") || !bytes.Contains(b, fmt.Appendf(nil, ":%d:", uid)) {
				t.Errorf("%q of user %d is not in %q", name, uid, b)
			}
		}
	})
}

func TestNamesFollowTheFile(t *testing.T) {
	t.Parallel()
	users := Users{Path: filepath.Join(t.TempDir(), "passwd")}
	day := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(users.Path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		day = day.Add(time.Second)
		if err := os.Chtimes(users.Path, day, day); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(when, want string) {
		t.Helper()
		if got := users.Name(1000); got != want {
			t.Errorf("%s user 1000 is %q, want %q", when, got, want)
		}
	}
	expect("without a file", "1000")
	write("ada:x:1000:1000:::\n")
	expect("with one", "ada")
	write("bob:x:1000:1000:::\n")
	expect("after a change", "bob")
	write("bob:x:1001:1001:::\n")
	expect("after its removal", "1000")
	if err := os.Remove(users.Path); err != nil {
		t.Fatal(err)
	}
	if got := users.Name(1001); got != "bob" {
		t.Errorf("while the file is replaced user 1001 is %q, want bob", got)
	}
}

// A name service that doesn't answer would stop the poll: package os/user asks
// it where there is cgo.
func TestNoNameServiceIsAsked(t *testing.T) {
	t.Parallel()
	linux := build.Default
	linux.GOOS = "linux"
	for _, name := range []string{"procfs", "owner", "trace", "portable", "live", "sockdiag", "sysctl"} {
		p, err := linux.ImportDir(filepath.Join("..", name), 0)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(p.Imports, "os/user") {
			t.Errorf("package %s imports os/user", name)
		}
	}
}
