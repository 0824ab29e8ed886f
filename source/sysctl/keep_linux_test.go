package sysctl

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"ephtop/source"
)

// A kept reader tells of its namespace from any other, follows what is set
// there, and does not keep it alive.
func TestKeep(t *testing.T) {
	const file = "/proc/sys/net/ipv4/ip_local_port_range"
	var scratch []byte
	var kept *Reader
	read := func() (string, error) {
		var m source.Moment
		var s source.Snapshot
		err := kept.Read(context.Background(), &m, &s)
		return s.Settings.Range.String(), err
	}
	var errs []error
	var outside []string
	inNewNamespace(t, func() {
		var err error
		kept, err = Keep(&scratch)
		errs = append(errs, err)
		for _, text := range []string{"20000 29999", "30000 30099"} {
			errs = append(errs, os.WriteFile(file, []byte(text), 0))
			done := make(chan struct{})
			go func() { // on another thread, of this process's namespace
				defer close(done)
				got, err := read()
				outside, errs = append(outside, got), append(errs, err)
			}()
			<-done
		}
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	if want := []string{"20000-29999", "30000-30099"}; !slices.Equal(outside, want) {
		t.Errorf("from outside, the ranges were %q, want %q", outside, want)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		_, err := read()
		if errors.Is(err, ErrGone) {
			return
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("after its end, error %v, want %v", err, ErrGone)
		}
		time.Sleep(time.Millisecond)
	}
}
