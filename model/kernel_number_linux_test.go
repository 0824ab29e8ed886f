package model_test

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/live"
	"ephtop/source/netlab"
	"ephtop/source/procfs"
)

// The kernel gives the number of a namespace that has ended to the next one that
// is made. What failed in the one is not laid to the other, whether the first
// was looked at before the second came or not.
func TestKernelNumbersComeAgain(t *testing.T) {
	t.Run("between two looks", func(t *testing.T) { reuseNumber(t, false) })
	t.Run("after a look", func(t *testing.T) { reuseNumber(t, true) })
}

func reuseNumber(t *testing.T, looked bool) {
	src := openInside(t, netlab.New(t, ""), live.Options{Kind: live.Tables, Trace: live.TraceAuto})
	fleet, m, o := model.NewFleet(model.Options{}), new(source.Moment), new(model.Overview)
	look := func() {
		t.Helper()
		if err := src.Poll(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		fleet.Update(m, o)
	}
	if look(); !m.Traced {
		t.Skipf("cannot trace here: %v", m.Limits)
	}
	var number uint64
	t.Run("the first", func(t *testing.T) { number = failOnce(t) })
	if looked {
		look()
	}
	if !comesAgain(t, number) {
		t.Skip("the number went to somebody else")
	}
	for range 3 {
		look()
		at := o.Find(source.Scope{Host: m.Host, Netns: number})
		if at < 0 {
			t.Fatal("the second is not there")
		}
		if st := o.States[at]; st.Failures.Count != 0 || st.Level != model.LevelOK {
			t.Errorf("of a namespace without a socket: level %v, failures %+v", st.Level, st.Failures)
		}
	}
}

// failOnce makes a namespace in which a connect finds no port, and returns its
// number. It ends with the test.
func failOnce(t *testing.T) uint64 {
	h := netlab.New(t, "40000 40000")
	h.Listen("127.0.0.1:80")
	if n, err := h.Fill("127.0.0.1:80", 2); n != 1 || err == nil {
		t.Fatalf("%d connects, then %v; want 1", n, err)
	}
	return procfs.Netns(unix.AT_FDCWD, h.Path())
}

// comesAgain makes namespaces until one has the number of one that has ended.
func comesAgain(t *testing.T, number uint64) bool {
	for range 40 { // it is taken down some time after its last thread has ended
		if procfs.Netns(unix.AT_FDCWD, netlab.New(t, "").Path()) == number {
			return true
		}
		time.Sleep(250 * time.Millisecond)
	}
	return false
}
