package live

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/source/portable"
)

// poll takes one snapshot, which must succeed.
func poll(t *testing.T, src source.Source) *source.Moment {
	t.Helper()
	s := new(source.Moment)
	if err := src.Poll(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpenKinds(t *testing.T) {
	best := Portable
	if kernelSupported {
		best = Sockdiag
	}
	tests := []struct{ kind, want string }{
		{"", best}, {Auto, best}, {Portable, Portable}, {Sockdiag, Sockdiag},
	}
	for _, tt := range tests {
		t.Run("kind "+tt.kind, func(t *testing.T) {
			src, err := Open(Options{Kind: tt.kind})
			if tt.kind == Sockdiag && !kernelSupported {
				if err == nil || !strings.Contains(err.Error(), "open source sockdiag: it needs Linux") {
					t.Errorf("error %v, want it to say that sockdiag needs Linux", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			s := poll(t, src)
			if s.Source != tt.want {
				t.Errorf("source %q, want %q", s.Source, tt.want)
			}
			if s.Time.IsZero() || s.OS == "" || s.Snapshots[0].Settings.Range.Validate() != nil {
				t.Errorf("snapshot of %v, %q, range %v: want all of them", s.Time, s.OS, s.Snapshots[0].Settings.Range)
			}
		})
	}
}

func TestOpenUnknownKind(t *testing.T) {
	_, err := Open(Options{Kind: "ebpf"})
	if want := `unknown source "ebpf": use auto, tables, sockdiag, portable`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestKindsCannotBeChanged(t *testing.T) {
	want := []string{Auto, Tables, Sockdiag, Portable}
	if diff := cmp.Diff(want, Kinds()); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	Kinds()[0] = "changed"
	if diff := cmp.Diff(want, Kinds()); diff != "" {
		t.Errorf("kinds after a caller's change (-want +got):\n%s", diff)
	}
}

func TestRange(t *testing.T) {
	own := source.PortRange{Low: 20000, High: 20099}
	for _, kind := range []string{Auto, Portable} {
		t.Run(kind, func(t *testing.T) {
			src, err := Open(Options{Kind: kind, Range: &own})
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			for range 2 {
				if s := poll(t, src); s.Snapshots[0].Settings.Range != own || s.Snapshots[0].Settings.Assumed {
					t.Errorf("range %v, assumed %v, want %v and false", s.Snapshots[0].Settings.Range, s.Snapshots[0].Settings.Assumed, own)
				}
			}
		})
	}
}

func TestRangeThatMakesNoSense(t *testing.T) {
	for _, bad := range []source.PortRange{{Low: 9, High: 1}, {Low: 0, High: 100}} {
		if src, err := Open(Options{Range: &bad}); !errors.Is(err, source.ErrRange) {
			t.Errorf("range %v opens %v, %v, want %v", bad, src, err, source.ErrRange)
		}
	}
}

func TestRangeIsNotPutOnAFailedPoll(t *testing.T) {
	r := source.WithRange(&fake{polls: []error{io.EOF}}, source.PortRange{Low: 1, High: 2})
	if err := r.Poll(context.Background(), new(source.Moment)); err != io.EOF {
		t.Errorf("error %v, want %v", err, io.EOF)
	}
}

// A bound is a share of the range that was asked for.
func TestRangeOfWhatWasNotLookedAt(t *testing.T) {
	t.Parallel()
	r := source.WithRange(&fake{polls: []error{nil}, quiet: []source.Brief{{Bound: 202, Usable: 28232, Assumed: true}}}, source.PortRange{Low: 40000, High: 40099})
	m := new(source.Moment)
	if err := r.Poll(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	if b := m.Quiet[0]; b.Usable != 100 || b.Assumed {
		t.Errorf("%+v, want 100 usable ports, which are not assumed", b)
	}
}

// fake is a source whose polls go as listed.
type fake struct {
	polls  []error
	quiet  []source.Brief
	polled int
	closed int
}

func (f *fake) Poll(_ context.Context, s *source.Moment) error {
	s.Reset()
	s.Source, s.Quiet = "fake", f.quiet
	f.polled++
	return f.polls[f.polled-1]
}

func (f *fake) Close() error { f.closed++; return nil }

// The kernel is given up only if it refuses before it has ever worked.
func TestFallback(t *testing.T) {
	if !kernelSupported {
		t.Skip("this system has no kernel source to fall back from")
	}
	tests := []struct {
		name     string
		polls    []error // of the kernel
		replaced bool    // by the last of them
	}{
		{"EPERM", []error{syscall.EPERM}, true},
		{"EACCES", []error{syscall.EACCES}, true},
		{"ENOENT, sock_diag is not built in", []error{syscall.ENOENT}, true},
		{"EPROTONOSUPPORT", []error{syscall.EPROTONOSUPPORT}, true},
		{"works", []error{nil}, false},
		{"fails for another reason", []error{syscall.ENOBUFS}, false},
		{"cancelled", []error{context.Canceled}, false},
		{"fails for another reason, then refuses", []error{syscall.ENOBUFS, syscall.EPERM}, true},
		{"works, then refuses", []error{nil, syscall.EPERM, syscall.EPERM}, false},
		{"works, then refuses, then works", []error{nil, syscall.EPERM, nil}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kernel := &fake{polls: tt.polls}
			f := &fallback{Source: kernel, portable: func() source.Source { return portable.New() }, log: slog.New(slog.DiscardHandler)}
			var s source.Moment
			for i, want := range tt.polls {
				err := f.Poll(context.Background(), &s)
				if last := i == len(tt.polls)-1; last && tt.replaced {
					want = nil
				}
				if !errors.Is(err, want) {
					t.Errorf("poll %d: error %v, want %v", i+1, err, want)
				}
			}
			if !tt.replaced {
				if kernel.closed != 0 || kernel.polled != len(tt.polls) || s.Source != "fake" || len(s.Limits) != 0 {
					t.Errorf("closed %d times, polled %d times, source %q, limits %q", kernel.closed, kernel.polled, s.Source, s.Limits)
				}
				return
			}
			says := tt.polls[len(tt.polls)-1].Error()
			checkPortable(t, &s, says)
			if kernel.closed != 1 {
				t.Errorf("the kernel source was closed %d times, want once", kernel.closed)
			}
			checkPortable(t, poll(t, f), says) // each snapshot says it
			if err := f.Close(); err != nil || kernel.closed != 1 {
				t.Errorf("close: %v, and the kernel source closed %d times", err, kernel.closed)
			}
		})
	}
}

// checkPortable wants a snapshot of the portable source that says why it is
// one, once.
func checkPortable(t *testing.T, s *source.Moment, says string) {
	t.Helper()
	said := 0
	for _, l := range s.Limits {
		if l.Code == source.LimitFallback && strings.HasPrefix(l.Detail, says) {
			said++
		}
	}
	if s.Source != Portable || said != 1 {
		t.Errorf("source %q, limits %q, want %q and once %q", s.Source, s.Limits, Portable, says)
	}
}

// A snapshot that is polled again holds nothing of the moment before.
func TestPollAgain(t *testing.T) {
	src, err := Open(Options{Once: true}) // of one source from the first poll on
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	s := poll(t, src)
	limits := slices.Clone(s.Limits)
	s.Room = append(s.Room, source.Socket{LocalPort: 9, Cookie: 1<<64 - 1})
	if err := src.Poll(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(limits, s.Limits); diff != "" {
		t.Errorf("limits (-first +second):\n%s", diff)
	}
	for i := range s.Snapshots[0].Sockets {
		if s.Snapshots[0].Sockets[i].Cookie == 1<<64-1 {
			t.Error("a socket of the moment before is still there")
		}
		if p := s.Snapshots[0].Sockets[i].Process; p != source.NoProcess && (p < 0 || int(p) >= len(s.Processes)) {
			t.Errorf("process %d of %d", p, len(s.Processes))
		}
	}
}
