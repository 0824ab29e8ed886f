package sysctl

import (
	"context"
	"errors"
	"testing"

	"ephtop/source"
)

func TestReadAsksOnceAMinute(t *testing.T) {
	asked := 0
	r := &Reader{netsh: func(context.Context) (string, error) {
		asked++
		return "Start Port      : 20000\r\nNumber of Ports : 100\r\n", nil
	}}
	for range 3 {
		var m source.Moment
		var s source.Snapshot
		if err := r.Read(context.Background(), &m, &s); err != nil {
			t.Fatal(err)
		}
		if got := s.Settings.Range.String(); got != "20000-20099" || s.Settings.Assumed {
			t.Errorf("got %s, assumed %v", got, s.Settings.Assumed)
		}
	}
	if asked != 1 {
		t.Errorf("netsh was asked %d times", asked)
	}
}

func TestReadOfNothingAssumesTheDefault(t *testing.T) {
	for name, netsh := range map[string]func(context.Context) (string, error){
		"it fails":            func(context.Context) (string, error) { return "", errors.New("not found") },
		"it says nothing":     func(context.Context) (string, error) { return "", nil },
		"it says what is mad": func(context.Context) (string, error) { return "a: 0\nb: 0\n", nil },
	} {
		t.Run(name, func(t *testing.T) {
			var m source.Moment
			var s source.Snapshot
			if err := (&Reader{netsh: netsh}).Read(context.Background(), &m, &s); err != nil {
				t.Fatal(err)
			}
			if s.Settings.Range != Defaults("windows", "").Range || !s.Settings.Assumed || len(m.Limits) != 1 {
				t.Errorf("got %+v, %q", s.Settings, m.Limits)
			}
		})
	}
}
