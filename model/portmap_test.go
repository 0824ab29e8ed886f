package model

import (
	"fmt"
	"math/bits"
	"slices"
	"testing"

	"ephtop/source"
)

// The map of the headline's tuple holds as many ports as the headline counts,
// whatever they are held by.
func TestWorstMapIsOfTheHeadline(t *testing.T) {
	t.Parallel()
	plain := connections(20, source.Established, "10.0.0.1", 40000, 2, db)
	others := connections(10, source.Established, "10.0.0.1", 40020, 2, "10.0.9.3:80")
	on := func(iface uint32, list []source.Socket) []source.Socket {
		out := slices.Clone(list)
		for i := range out {
			out[i].Interface = iface
		}
		return out
	}
	for _, test := range []struct {
		name string
		m    *source.Moment
		used int
		low  uint16
	}{
		{"its own, and not those of others", moment(0, slices.Concat(plain, others)...), 20, 40000},
		{"live and TIME_WAIT", moment(0, slices.Concat(plain, connections(5, source.TimeWait, "10.0.0.1", 40060, 2, db))...), 25, 40000},
		{"blocked for everyone", moment(0, slices.Concat(plain, connections(7, source.Bound, "10.0.0.1", 40001, 2, ""))...), 27, 40000},
		{"blocked, with no socket that explains it", known(moment(0, plain...), 40000, 40001, 40003), 22, 40000},
		{"suspected", moment(0, slices.Concat(plain, connections(6, source.Established, "10.0.0.1", 40001, 2, "10.0.9.3:80"))...), 26, 40000},
		{"bound to no interface", moment(0, slices.Concat(on(3, plain), connections(30, source.Established, "10.0.0.1", 40010, 2, db))...), 35, 40000},
		{"a pool of its own", moment(0, connections(20, source.Established, "10.0.0.1", 2000, 1, db)...), 20, 2000},
		{
			"a pool of its own with a server", moment(0, append(append(connections(10, source.Established, "10.0.0.1", 2000, 1, db),
				connections(9, source.Established, "10.0.0.1", 2011, 1, db)...), socket(source.Listen, "0.0.0.0:2010", "0.0.0.0:0"))...), 20, 2000,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := &update(test.m).TCP.Pressure
			h := p.Headline()
			if n := mapped(&p.WorstMap); n != test.used || h.Used() != n || p.WorstMap.Low != test.low {
				t.Errorf("%d ports mapped from %d on, headline %+v; want %d", n, p.WorstMap.Low, h, test.used)
			}
		})
	}
}

// Where the pool is the limit, no tuple has a map.
func TestNoTupleNoMap(t *testing.T) {
	t.Parallel()
	st := newTeller()
	m := moment(0, connections(20, source.Established, "10.0.0.1", 40000, 2, db)...)
	st.tell(m)
	m = moment(1, connections(20, source.Established, "10.0.0.1", 40000, 2, db)...)
	m.Snapshots[0].Settings.PoolOnly = true
	if p := &st.tell(m).TCP.Pressure; len(p.WorstMap.Words) != 0 || mapped(&p.Map) != 20 {
		t.Errorf("%v mapped, want nothing; %d in use, want 20", p.WorstMap, mapped(&p.Map))
	}
}

func mapped(m *PortMap) (n int) {
	for _, w := range m.Words {
		n += bits.OnesCount64(w)
	}
	return n
}

func (m *PortMap) String() string { return fmt.Sprintf("%d–%d: %d", m.Low, m.High, mapped(m)) }
