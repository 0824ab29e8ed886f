package guard

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A fault says what it was and where, whatever kind of fault it is.
func TestAPanicIsAnError(t *testing.T) {
	t.Parallel()
	var list []int
	var none *Aside
	for want, f := range map[string]func() error{
		"told so":            func() error { panic("told so") },
		"index out of range": func() error { return fmt.Errorf("%d", list[3]) },
		"nil pointer":        func() error { none.tidy(); return nil },
	} {
		err := Do(f)
		var p *Panic
		if !errors.As(err, &p) || !strings.Contains(err.Error(), want) || len(p.Stack) == 0 {
			t.Errorf("%v, want a panic that says %q", err, want)
		}
		if !strings.Contains(p.Where, "guard_test.go:") && !strings.Contains(p.Where, "aside.go:") {
			t.Errorf("it was in %q, which is none of ours", p.Where)
		}
	}
}

// The owner of a goroutine may panic with what that has panicked with.
func TestAPanicThatIsHandedOn(t *testing.T) {
	t.Parallel()
	first := Do(func() error { panic("no") })
	if got := Do(func() error { panic(first) }); got != first {
		t.Errorf("%v, want %v", got, first)
	}
}

func TestWhatDoesNotPanicIsAsItIs(t *testing.T) {
	t.Parallel()
	want := errors.New("an error")
	if got := Do(func() error { return want }); got != want {
		t.Errorf("got %v", got)
	}
	if got := Do(func() error { return nil }); got != nil {
		t.Errorf("got %v", got)
	}
}

// What does not answer is waited for once, named, and done again when it has.
func TestAside(t *testing.T) {
	t.Parallel()
	a := Aside{Patience: time.Millisecond}
	release, hung := make(chan struct{}), make(chan struct{})
	if err := a.Do("file", func() { defer close(hung); <-release }); !errors.Is(err, ErrLate) {
		t.Fatalf("what hangs: %v, want %v", err, ErrLate)
	}
	if got := a.Late(); got != "file" {
		t.Errorf("%q does not answer, want file", got)
	}
	if err := a.Do("file", func() { t.Error("begun again while it hangs") }); !errors.Is(err, ErrLate) {
		t.Errorf("again: %v, want %v", err, ErrLate)
	}
	a.Patience = time.Minute
	done := false
	if err := a.Do("other", func() { done = true }); err != nil || !done {
		t.Errorf("another: done %v, %v", done, err)
	}
	close(release)
	<-hung
	for a.Late() != "" { // the goroutine says so just after
		time.Sleep(time.Millisecond)
	}
	again := false
	if err := a.Do("file", func() { again = true }); err != nil || !again {
		t.Errorf("when it answers again: done %v, %v", again, err)
	}
}

// Not more than some hang at a time, whatever they are called.
func TestAsideIsBounded(t *testing.T) {
	t.Parallel()
	a := Aside{Patience: time.Millisecond}
	release := make(chan struct{})
	defer close(release)
	for i := range most {
		a.Do(fmt.Sprint(i), func() { <-release })
	}
	if err := a.Do("one more", func() { t.Error("begun") }); !errors.Is(err, ErrLate) {
		t.Errorf("%v, want %v", err, ErrLate)
	}
}

func TestAPanicAside(t *testing.T) {
	t.Parallel()
	a := Aside{Patience: time.Minute}
	var p *Panic
	if err := a.Do("file", func() { panic("no") }); !errors.As(err, &p) || a.Late() != "" {
		t.Errorf("%v, late %q", err, a.Late())
	}
}
