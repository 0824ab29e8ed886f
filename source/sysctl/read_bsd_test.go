//go:build darwin || freebsd

package sysctl

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"ephtop/source"
)

func fake(values map[string]uint32) *Reader {
	return &Reader{sysctl: func(name string) (uint32, error) {
		if v, ok := values[name]; ok {
			return v, nil
		}
		return 0, errors.New("no such sysctl")
	}}
}

func TestRead(t *testing.T) {
	var m source.Moment
	var s source.Snapshot
	r := fake(map[string]uint32{
		"net.inet.ip.portrange.first": 20000, "net.inet.ip.portrange.last": 20099, "net.inet.tcp.msl": 5000,
	})
	if err := r.Read(context.Background(), &m, &s); err != nil {
		t.Fatal(err)
	}
	if got := s.Settings; got.Range.Count() != 100 || got.Default != Defaults(runtime.GOOS, "").Range || got.Assumed || got.TimeWait != 10*time.Second {
		t.Errorf("got %+v", got)
	}
}

func TestReadOfNothingAssumesTheDefault(t *testing.T) {
	var m source.Moment
	var s source.Snapshot
	if err := fake(nil).Read(context.Background(), &m, &s); err != nil {
		t.Fatal(err)
	}
	if s.Settings.Range != s.Settings.Default || !s.Settings.Assumed || len(m.Limits) != 1 {
		t.Errorf("got %+v, %q", s.Settings, m.Limits)
	}
}

func TestReadRefusesWhatMakesNoSense(t *testing.T) {
	r := fake(map[string]uint32{"net.inet.ip.portrange.first": 0, "net.inet.ip.portrange.last": 70000})
	if err := r.Read(context.Background(), new(source.Moment), new(source.Snapshot)); !errors.Is(err, source.ErrRange) {
		t.Errorf("got %v, want ErrRange", err)
	}
}
