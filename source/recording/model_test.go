package recording_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/recording/anonymize"
)

// states gives what the model says of the only namespace of each moment of a
// source.
func states(t *testing.T, src source.Source) []*model.State {
	t.Helper()
	fleet := model.NewFleet(model.Options{})
	var all []*model.State
	for {
		var m source.Moment
		err := src.Poll(context.Background(), &m)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		var o model.Overview
		fleet.Update(&m, &o)
		all = append(all, o.States[0])
	}
}

// eventful adds to the moments of a host what is rare: traced closes and
// failed connects, and processes that come and go.
func eventful(moments []*source.Moment) []*source.Moment {
	for i, s := range moments {
		s.Traced = true
		s.Processes[3].PID += int32(i / 10)
		for j := range s.Snapshots[0].Sockets {
			k := &s.Snapshots[0].Sockets[j]
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

// ticking has the timers of a host tick evenly, as those of a recording do.
func ticking(moments []*source.Moment) []*source.Moment {
	deadlines := make(map[uint64]int64)
	for _, m := range moments {
		now := m.Time.Sub(moments[0].Time).Milliseconds()
		for j := range m.Snapshots[0].Sockets {
			k := &m.Snapshots[0].Sockets[j]
			if k.Timer != source.TimerTimeWait {
				continue
			}
			if deadlines[k.Cookie] == 0 {
				deadlines[k.Cookie] = now + int64(k.Expires)
			}
			k.Expires = uint32(max(0, deadlines[k.Cookie]-now))
		}
	}
	return moments
}

// TestAReplayMeansWhatTheLiveRunMeant runs the model over what the recorder
// hands on and over what is read back.
func TestAReplayMeansWhatTheLiveRunMeant(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := newWriter(t, &out)
	src := &list{moments: eventful(ticking(moments(6, 80, 12, 70)))}
	live := states(t, &recorded{src, w})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	replayed := states(t, newPlayer(t, out.Bytes()))
	if len(live) != len(replayed) {
		t.Fatalf("%d moments, want %d", len(replayed), len(live))
	}
	for i := range live {
		if d := cmp.Diff(figures(live[i], true), figures(replayed[i], true)); d != "" {
			t.Fatalf("moment %d: %s", i, d)
		}
	}
}

// TestTheModelSaysTheSameWithoutNames compares the figures of the model before
// and after a host was made anonymous.
func TestTheModelSaysTheSameWithoutNames(t *testing.T) {
	t.Parallel()
	a, err := anonymize.NewAnonymizer()
	if err != nil {
		t.Fatal(err)
	}
	before := states(t, &list{moments: eventful(moments(21, 120, 12, 70))})
	after := states(t, anonymize.Anonymize(&list{moments: eventful(moments(21, 120, 12, 70))}, a))
	for i := range before {
		if d := cmp.Diff(figures(before[i], false), figures(after[i], false)); d != "" {
			t.Fatalf("moment %d: %s", i, d)
		}
	}
}

// figures are what the model counts, with or without names.
func figures(st *model.State, names bool) []string {
	count := make(map[string]int)
	note := func(format string, args ...any) { count[fmt.Sprintf(format, args...)]++ }
	note("level %v, churn %d, failures %d", st.Level, len(st.Churn), st.Failures.Count)
	for _, p := range []*model.Protocol{&st.TCP, &st.UDP} {
		pressure := &p.Pressure
		note("in use %d, blocked %d, suspected %d, states %v", pressure.InUse, pressure.Blocked, pressure.Suspected, p.States)
		for _, u := range pressure.Tuples {
			if !names {
				u.TupleKey = model.TupleKey{Port: u.Port}
			}
			note("tuple %+v", u)
		}
		for _, b := range pressure.BindPools {
			note("bind pool %d %d", b.Used, b.Free)
		}
		for g, list := range p.Consumers {
			for _, c := range list {
				note("consumer by %d: %d ports, %d sockets, %v, port %d", g, c.Ports, c.Sockets, c.States, c.Port)
			}
		}
	}
	for i, r := range st.Rows {
		seen, of := st.Likely(i)
		note("row %v %v %v %v %v, likely %d of %d", r.Tier, r.Suspected, r.Ephemeral, r.SinceStart, r.Age, seen, of)
		if names && r.Process != source.NoProcess {
			note("row of %v", st.Processes[r.Process])
		}
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(count)) {
		out = append(out, fmt.Sprint(k, " × ", count[k]))
	}
	return out
}
