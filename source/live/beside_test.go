package live

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// named is a source whose moments bear its name, and whose polls fail from the
// one with number fails on, if that is not 0.
type named struct {
	name   string
	fails  int
	polls  int
	closed *[]string
}

func (n *named) Poll(_ context.Context, m *source.Moment) error {
	m.Reset()
	m.Source = n.name
	if n.polls++; n.fails > 0 && n.polls >= n.fails {
		return errors.New(n.name + " broke")
	}
	return nil
}

func (n *named) Close() error { *n.closed = append(*n.closed, n.name); return nil }

func TestBeside(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		opens  error // of the better source
		fails  int
		wait   bool
		want   []string // source of each poll, with the limit behind it
		closed []string
	}{
		{"the better one takes over from the second poll on", nil, 0, false,
			[]string{"first", "better", "better"}, []string{"first", "better"}},
		{"it is waited for where there may be no second", nil, 0, true,
			[]string{"better", "better"}, []string{"first", "better"}},
		{"it can't be opened", errors.New("no right"), 0, false,
			[]string{"first", "first: no right", "first: no right"}, []string{"first"}},
		{"nor where it is waited for", errors.New("no right"), 0, true,
			[]string{"first: no right"}, []string{"first"}},
		{"it fails in the end", nil, 2, false,
			[]string{"first", "better", "first: better broke", "first: better broke"}, []string{"first", "better", "first"}},
		{"it fails at once", nil, 1, true, []string{"first: better broke"}, []string{"first", "better", "first"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var closed []string
			release := make(chan struct{})
			b, err := openBeside(
				func() (source.Source, error) { return &named{name: "first", closed: &closed}, nil },
				func() (source.Source, error) {
					if !tt.wait {
						<-release
					}
					return &named{name: "better", fails: tt.fails, closed: &closed}, tt.opens
				}, tt.wait, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for n := range tt.want {
				if n == 1 && !tt.wait {
					close(release)
					b.wait = true // so that the second poll is not too early
				}
				var m source.Moment
				if err := b.Poll(context.Background(), &m); err != nil {
					t.Fatal(err)
				}
				says := m.Source
				for _, l := range m.Limits {
					says += ": " + l.Detail
				}
				got = append(got, says)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("polls (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.closed, closed); diff != "" {
				t.Errorf("closed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBesideIsClosedWhileItOpens(t *testing.T) {
	t.Parallel()
	var closed []string
	b, err := openBeside(
		func() (source.Source, error) { return &named{name: "first", closed: &closed}, nil },
		func() (source.Source, error) { return &named{name: "better", closed: &closed}, nil },
		false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if b.opening != nil {
		t.Error("the better source is being opened before the first poll")
	}
	var m source.Moment
	if err := b.Poll(context.Background(), &m); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"better", "first"}, closed); diff != "" {
		t.Errorf("closed (-want +got):\n%s", diff)
	}
}

// A wait ends with its context, and the next poll waits on.
func TestBesideWaitsForItsContext(t *testing.T) {
	t.Parallel()
	var closed []string
	release := make(chan struct{})
	b, err := openBeside(
		func() (source.Source, error) { return &named{name: "first", closed: &closed}, nil },
		func() (source.Source, error) { <-release; return &named{name: "better", closed: &closed}, nil },
		true, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var m source.Moment
	if err := b.Poll(ctx, &m); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	close(release)
	if err := b.Poll(context.Background(), &m); err != nil || m.Source != "better" {
		t.Errorf("then source %q, error %v", m.Source, err)
	}
}

// Where the better one is not there when half of the time is over, what is there
// answers, and says why.
func TestBesideAnswersInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var closed []string
		release := make(chan struct{})
		b, err := openBeside(
			func() (source.Source, error) { return &named{name: "first", closed: &closed}, nil },
			func() (source.Source, error) { <-release; return &named{name: "better", closed: &closed}, nil },
			true, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		var m source.Moment
		if err := b.Poll(ctx, &m); err != nil || m.Source != "first" || len(m.Limits) != 1 || time.Since(begun) != 5*time.Second {
			t.Errorf("after %v: source %q with %v, error %v", time.Since(begun), m.Source, m.Limits, err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		close(release)
		synctest.Wait()
		if diff := cmp.Diff([]string{"first", "better"}, closed); diff != "" {
			t.Errorf("closed (-want +got):\n%s", diff)
		}
	})
}

func TestNothingToBeginWith(t *testing.T) {
	t.Parallel()
	_, err := openBeside(func() (source.Source, error) { return nil, io.ErrUnexpectedEOF }, nil, false, nil)
	if err != io.ErrUnexpectedEOF {
		t.Errorf("error %v, want %v", err, io.ErrUnexpectedEOF)
	}
}
