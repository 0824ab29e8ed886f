package evidence

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"ephtop/source"
)

// A part that does not answer, or that fails by a fault, is said to be not
// readable; nobody waits for it.
func TestAPartThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := make(chan struct{})
		var s source.Sysctls
		ask(t.Context(), here, &s, &s.Status, func(context.Context) source.Sysctls { <-server; return source.Sysctls{Status: read("")} })
		if s.Outcome != source.OutcomeNotReadable || s.Reason != "no answer in time" {
			t.Errorf("status %+v", s.Status)
		}
		close(server)
	})
	var s source.Sysctls
	ask(t.Context(), here, &s, &s.Status, func(context.Context) source.Sysctls { panic("a setting") })
	if s.Outcome != source.OutcomeNotReadable || !strings.Contains(s.Reason, "a setting") {
		t.Errorf("status %+v", s.Status)
	}
}

// A part of a namespace that can't be entered says why.
func TestANamespaceThatHasEnded(t *testing.T) {
	t.Parallel()
	var s source.Sysctls
	ended := func(func() error) error { return errors.New("the network namespace has ended") }
	ask(t.Context(), ended, &s, &s.Status, func(context.Context) source.Sysctls { return source.Sysctls{Status: read("")} })
	if s.Outcome != source.OutcomeNotReadable || s.Reason != "the network namespace has ended" {
		t.Errorf("status %+v", s.Status)
	}
}

// A tool that hangs, with children that hold its output, is killed, and what the
// others say is told.
func TestAToolThatHangs(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has nft")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nft"), []byte("#!/bin/sh\nsleep 600 &\nsleep 600\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	e := Gather(t.Context(), Options{})
	if e.Firewall.OK() && len(e.Firewall.Tools) == 0 || !strings.Contains(e.Firewall.Reason, "nft did not answer in time") {
		t.Errorf("firewall: %+v", e.Firewall.Status)
	}
	if !e.Sysctls.OK() {
		t.Errorf("settings: %+v", e.Sysctls.Status)
	}
}
