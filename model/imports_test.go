package model

import (
	"go/build"
	"strings"
	"testing"
)

// The model is pure: what it imports is source and those packages of the
// standard library that reach no system.
func TestImports(t *testing.T) {
	t.Parallel()
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range p.Imports {
		root, _, _ := strings.Cut(path, "/")
		switch {
		case path == "ephtop/source":
		case root == "ephtop" || strings.Contains(root, "."):
			t.Errorf("the model imports %s", path)
		case root == "os" || root == "net" && path != "net/netip" || root == "syscall" || root == "io" || root == "log" || root == "unsafe":
			t.Errorf("the model imports %s, which reaches the system", path)
		}
	}
}
