package command

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"ephtop/source"
	"ephtop/source/evidence"
	"ephtop/source/live"
)

func TestAPanicOfWhatDoctorAsks(t *testing.T) {
	t.Parallel()
	host := &fakeHost{}
	var stderr bytes.Buffer
	status := Run([]string{"doctor", "--for", "1s"}, Env{
		Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &stderr,
		Getenv: func(string) string { return "" },
		Open:   func(live.Options) (source.Source, error) { return host, nil },
		Gather: func(context.Context, evidence.Options) source.Evidence { panic("on purpose") },
	})
	if want := "ephtop: a fault of ephtop itself, please report it: on purpose (panic_test.go:"; status != 3 || !strings.HasPrefix(stderr.String(), want) || host.closed != 1 {
		t.Errorf("status %d, stderr %q, closed %d times; want 3, %q, 1", status, &stderr, host.closed, want)
	}
}
