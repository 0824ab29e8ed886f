package model

import (
	"fmt"
	"testing"

	"ephtop/source"
)

// connection is one that a process opens and closes at so many seconds.
type connection struct {
	process        int32
	opened, closed float64
}

const open = 1e6 // is never closed in a test

// every gives n connections of a process, one after the other at a distance of
// so many seconds, which live for so many.
func every(process int32, n int, from, apart, life float64) []connection {
	var list []connection
	for i := range n {
		at := from + float64(i)*apart
		list = append(list, connection{process, at, at + life})
	}
	return list
}

// pooled gives n connections that stay open.
func pooled(process int32, n int) []connection { return every(process, n, 0, 0, open) }

// at is what a look sees of the connections to the database.
func at(seconds float64, conns []connection) *source.Moment {
	var list []source.Socket
	for i, c := range conns {
		state, process, age := source.Established, c.process, seconds-c.closed
		switch {
		case c.opened > seconds || age >= 60:
			continue
		case age >= 0:
			state, process = source.TimeWait, source.NoProcess
		}
		s := owned(socket(state, fmt.Sprintf("10.0.0.1:%d", 33000+i), db), uint64(1+i), process)
		if state == source.TimeWait {
			s.Expires = uint32(1000 * (60 - age))
		}
		list = append(list, s)
	}
	return withProcesses(wide(moment(seconds, list...)), java, curl)
}

// blamed counts the TIME_WAIT by the name of their process and how sure that
// is.
func blamed(st *State) map[string]int {
	count := make(map[string]int)
	for i := range st.Rows {
		if st.Snapshot.Sockets[i].State != source.TimeWait {
			continue
		}
		name := "-"
		if p := st.Process(i); p != nil {
			name = p.Name
		}
		count[name+" "+st.Rows[i].Tier.String()]++
	}
	return count
}

// Java holds connections, curl opens and closes them; who of the two is to blame
// for what no look saw alive goes by who was seen to close, and how soon.
func TestTimeWaitIsLaidToWhoCloses(t *testing.T) {
	t.Parallel()
	const idle, churner = 0, 1
	// 50 a second for 10 ms, of which no look on the whole second sees any; and
	// one in 2 s that a look does see.
	unseen := every(churner, 500, 0.005, 0.02, 0.01)
	seen := every(churner, 5, 0.995, 2, 0.01)
	cases := []struct {
		name  string
		conns [][]connection
		want  string // who else is blamed, with its tier; "" for nobody
	}{
		{"nobody but an idle pool was seen", [][]connection{pooled(idle, 3), unseen}, ""},
		{"the churner was seen, beside an idle pool", [][]connection{pooled(idle, 3), unseen, seen}, "curl inferred"},
		{
			"a large idle pool of which one closes after long",
			[][]connection{pooled(idle, 300), unseen, every(idle, 1, 0, 1, 8.001)}, "",
		},
		{
			"a slow one whose connections last for several looks",
			[][]connection{unseen, every(idle, 20, 0, 0.3, 2.5)}, "",
		},
		{
			"a slow one, seen in most, beside a fast one",
			[][]connection{every(idle, 20, 0.3, 0.5, 0.8), unseen, seen}, "curl inferred",
		},
		{
			"one that is far too slow to be the cause",
			[][]connection{every(idle, 2, 0.7, 4, 0.6), unseen}, "",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var conns []connection
			for _, list := range c.conns {
				conns = append(conns, list...)
			}
			host := newTeller()
			var st *State
			for i := range 11 {
				st = host.tell(at(float64(i), conns))
			}
			got := blamed(st)
			for _, innocent := range []string{"java inferred", "curl inferred"} {
				if (got[innocent] > 0) != (innocent == c.want) {
					t.Errorf("%d TIME_WAIT are laid to %s: %v", got[innocent], innocent, got)
				}
			}
			worst, name := st.TCP.Pressure.Worst(), "nobody"
			if worst.Process != source.NoProcess {
				name = st.Processes[worst.Process].Name
			}
			if blame := name + " " + worst.Tier.String(); c.want == "" && worst.Process != source.NoProcess && worst.TimeWait > 2*worst.Live || c.want != "" && blame != c.want {
				t.Errorf("the tuple is laid to %s, want %q", blame, c.want)
			}
			f := find(st, NoPooling)
			if f == nil {
				t.Fatal("no finding of churn")
			}
			if f.Process == source.NoProcess != (c.want == "") || f.Process != source.NoProcess && st.Processes[f.Process].Name != "curl" {
				t.Errorf("the churn is laid to %d, %v, want %q", f.Process, f.Tier, c.want)
			}
			if f.Process != source.NoProcess && (f.Tier != OwnerInferred || f.Seen != 5 || f.Likely < 400) {
				t.Errorf("%v: %d seen, %d likely, want inferred: 5 seen and the rest likely", f.Tier, f.Seen, f.Likely)
			}
		})
	}
}

// Of how many closes the likely one's were, and who it is when the source has no
// timers.
func TestLikely(t *testing.T) {
	t.Parallel()
	sure, all := every(0, 2, 0.9, 0, 0.2), append(every(1, 1, 0.5, 0, 1), every(1, 20, 1.2, 0, 0.01)...)
	for _, timers := range []bool{true, false} {
		var st *State
		host := newTeller()
		for i := range 3 {
			m := at(float64(i), append(sure, all...))
			for j := range m.Snapshots[0].Sockets {
				if s := &m.Snapshots[0].Sockets[j]; !timers {
					s.Timer, s.Expires = source.TimerNone, 0
				}
			}
			st = host.tell(m)
		}
		row := len(st.Rows) - 1
		if p := st.Process(row); p == nil || p.Name != "java" || st.Rows[row].Tier != OwnerInferred {
			t.Errorf("timers %v: %v %v, want likely java", timers, p, st.Rows[row].Tier)
		}
		if seen, of := st.Likely(row); seen != 2 || of != 3 {
			t.Errorf("timers %v: %d of %d seen to close, want 2 of 3", timers, seen, of)
		}
	}
}

// A process that has no more room gives way only where it was seen once.
func TestSightingsKeepTheMostSeen(t *testing.T) {
	t.Parallel()
	var s sightings
	for i := range int32(100) {
		s.add(sighting{process: i, count: 1, span: 1e9})
		s.add(sighting{process: 1000, count: 1, span: 1e9})
	}
	if best, of := s.likely(); best.process != 1000 || best.count != 100 || of != 200 {
		t.Errorf("likely is %d, seen %d of %d, want the one seen 100 times of 200", best.process, best.count, of)
	}
}
