package host

import (
	"context"
	"strings"
	"testing"
)

func TestRunIsBounded(t *testing.T) {
	t.Run("in what it prints", func(t *testing.T) {
		out, err := (&Host{Root: "/"}).Run(context.Background(), 1000, "yes")
		if err != nil || !out.Cut || len(out.Stdout) != 1000 {
			t.Errorf("%d bytes, cut %v, %v", len(out.Stdout), out.Cut, err)
		}
	})
	t.Run("in time, and keeps what was printed", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		file := t.TempDir() + "/printed"
		go cancelWhenWritten(ctx, cancel, file)
		out, err := (&Host{Root: "/"}).Run(ctx, 1000, "sh", "-c", "echo first; echo >"+file+"; sleep 600")
		if err == nil || ctx.Err() == nil || string(out.Stdout) != "first\n" {
			t.Errorf("%q, %v", out.Stdout, err)
		}
	})
	t.Run("and says what a command complains of", func(t *testing.T) {
		_, err := (&Host{Root: "/"}).Run(context.Background(), 1000, "sh", "-c", "echo 'you must be root' >&2; exit 3")
		if err == nil || err.Error() != "sh: you must be root" {
			t.Errorf("%v", err)
		}
	})
	t.Run("and says what is not installed", func(t *testing.T) {
		if _, err := (&Host{Root: "/"}).Run(context.Background(), 1000, "no-such-command-here"); err == nil || !strings.Contains(err.Error(), "not installed") {
			t.Errorf("%v", err)
		}
	})
}
