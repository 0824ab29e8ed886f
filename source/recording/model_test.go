package recording_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/recording"
)

// list is a source of given moments.
type list struct {
	moments []*source.Snapshot
	closed  bool
}

func (l *list) Poll(_ context.Context, s *source.Snapshot) error {
	if len(l.moments) == 0 {
		return io.EOF
	}
	*s = *clone(l.moments[0])
	l.moments = l.moments[1:]
	return nil
}

func (l *list) Close() error {
	l.closed = true
	return nil
}

// states gives what a tracker says of each moment of a source, and the
// snapshots behind.
func states(t *testing.T, src source.Source) []*model.State {
	t.Helper()
	tracker := model.NewTracker(model.Options{})
	var all []*model.State
	for {
		var s source.Snapshot
		err := src.Poll(context.Background(), &s)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		st := new(model.State)
		tracker.Update(&s, st)
		all = append(all, st)
	}
}

// eventful adds to the moments of a host what is rare: traced closes and
// failed connects, and processes that come and go.
func eventful(moments []*source.Snapshot) []*source.Snapshot {
	for i, s := range moments {
		s.Traced = true
		s.Processes[3].PID += int32(i / 10)
		for j := range s.Sockets {
			k := &s.Sockets[j]
			if k.State == source.TimeWait && j%7 == i%7 {
				s.Events = append(s.Events, source.Event{
					Kind: source.Closed, Time: s.Time.Add(-1e8), Tuple: k.Tuple(), Process: s.Processes[j%5],
				})
			}
		}
		if i%9 == 4 {
			s.Events = append(s.Events, source.Event{
				Kind: source.ConnectFailed, Time: s.Time, Process: s.Processes[1],
				Tuple: source.Tuple{Remote: source.Addr4([4]byte{10, 0, 9, 1}), RemotePort: 5001, Proto: source.TCP},
			})
			s.LostEvents = i
		}
	}
	return moments
}

// TestAReplayMeansWhatTheLiveRunMeant runs the model over what the recorder
// hands on and over what is read back.
func TestAReplayMeansWhatTheLiveRunMeant(t *testing.T) {
	pipe := newPipe()
	w := newWriter(t, pipe)
	live := states(t, recording.Tee(&list{moments: eventful(hostMoments(6, 80, 12, 70))}, w))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := recording.NewPlayer(pipe.reader(), pipe.size())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	replayed := states(t, p)
	if len(live) != len(replayed) {
		t.Fatalf("%d moments, want %d", len(replayed), len(live))
	}
	options := cmp.Options{
		cmp.Comparer(func(a, b source.Socket) bool { return a == b }),
		same, cmpopts.IgnoreUnexported(model.Row{}, model.Churn{}, model.Consumer{}, model.TupleUse{}),
		// The tracker numbers processes as it likes: see owners.
		cmpopts.IgnoreFields(model.State{}, "Processes", "Rows", "Churn"),
		cmpopts.IgnoreFields(model.Consumer{}, "Process"),
	}
	for i := range live {
		if d := cmp.Diff(live[i], replayed[i], options); d != "" {
			t.Fatalf("moment %d: %s", i, d)
		}
		if d := cmp.Diff(owners(live[i]), owners(replayed[i])); d != "" {
			t.Fatalf("owners at moment %d: %s", i, d)
		}
	}
}

// owners says whose each row, each consumer and each churn is.
func owners(st *model.State) []string {
	name := func(p int32) string {
		if p == source.NoProcess {
			return "nobody"
		}
		return fmt.Sprint(st.Processes[p])
	}
	var out []string
	for i, r := range st.Rows {
		seen, of := st.Likely(i)
		out = append(out, fmt.Sprint(name(r.Process), r.Tier, r.Suspected, r.Ephemeral, r.SinceStart, r.Since, seen, of))
	}
	for g, list := range st.TCP.Consumers {
		for _, c := range list {
			out = append(out, fmt.Sprint(g, name(c.Process), c.Ports))
		}
	}
	churn := make(map[string]int)
	for _, c := range st.Churn {
		churn[fmt.Sprint(name(c.Process), c.Tuple, c.Tier, c.Live, c.TimeWait, c.CloseRate)]++
	}
	return append(out, fmt.Sprint(churn))
}
