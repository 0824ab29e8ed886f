package model

import (
	"fmt"
	"testing"

	"ephtop/source"
)

// pools gives the private pools of a state by their kind.
func pools(st *State) map[PoolKind]TupleUse {
	got := make(map[PoolKind]TupleUse)
	for _, t := range st.TCP.Pressure.Tuples {
		if t.Pool != PoolRange {
			got[t.Pool] = t
		}
	}
	return got
}

// A pool that was only seen is full when nothing between its ends is free and it
// does not grow.
func TestPrivatePoolIsFull(t *testing.T) {
	t.Parallel()
	ports := func(from, n, step int) []source.Socket {
		return connections(n, source.Established, "10.0.0.1", from, step, db)
	}
	for _, test := range []struct {
		name    string
		moments [][]source.Socket // a second apart
		kind    PoolKind
		used    int
		limit   Limit
		level   Level
	}{
		{"one look at a full one", [][]source.Socket{ports(2000, 20, 1)}, PoolSourcePorts, 20, Limit{PoolSourcePorts, 2000, 2019}, LevelExhausted},
		{"one look at a full one of a power of two", [][]source.Socket{ports(3000, 64, 1)}, PoolSourcePorts, 64, Limit{PoolSourcePorts, 3000, 3063}, LevelExhausted},
		{"ports that are taken in order", [][]source.Socket{ports(2000, 12, 1)}, PoolSourcePorts, 12, Limit{PoolSourcePorts, 2000, 2011}, LevelOK},
		{
			"a server within", [][]source.Socket{append(append(ports(2000, 10, 1), ports(2011, 9, 1)...), socket(source.Listen, "0.0.0.0:2010", "0.0.0.0:0"))},
			PoolSourcePorts, 20, Limit{PoolSourcePorts, 2000, 2019}, LevelExhausted,
		},
		{"a few adjacent ports", [][]source.Socket{ports(2000, 9, 1)}, PoolSourcePorts, 9, Limit{PoolSourcePorts, 2000, 2008}, LevelOK},
		{"one with a hole", [][]source.Socket{append(ports(2000, 20, 1), ports(2021, 5, 1)...)}, PoolSourcePorts, 25, Limit{PoolSourcePorts, 2000, 2025}, LevelOK},
		{
			"one that grows", [][]source.Socket{ports(2000, 10, 1), ports(2000, 15, 1), ports(2000, 20, 1)},
			PoolSourcePorts, 20, Limit{PoolSourcePorts, 2000, 2019}, LevelOK,
		},
		{
			"one that has grown, and stays", [][]source.Socket{
				ports(2000, 10, 1), ports(2000, 20, 1), ports(2000, 20, 1), ports(2000, 20, 1), ports(2000, 20, 1), ports(2000, 20, 1), ports(2000, 20, 1),
			},
			PoolSourcePorts, 20, Limit{PoolSourcePorts, 2000, 2019}, LevelExhausted,
		},
		{
			"one that was full", [][]source.Socket{ports(2000, 20, 1), ports(2003, 5, 1)},
			PoolSourcePorts, 5, Limit{PoolSourcePorts, 2000, 2019}, LevelOK,
		},
		{
			"one that was full, and nearly is", [][]source.Socket{ports(2000, 20, 1), ports(2001, 18, 1)},
			PoolSourcePorts, 18, Limit{PoolSourcePorts, 2000, 2019}, LevelCritical,
		},
		{"a range of the socket's own, which a dump can't tell for sure", [][]source.Socket{ports(40020, 20, 1)}, PoolLocalRange, 20, Limit{PoolLocalRange, 40020, 40039}, LevelOK},
		{"one port", [][]source.Socket{ports(9999, 1, 1)}, PoolSourcePort, 1, Limit{PoolSourcePort, 9999, 9999}, LevelOK},
	} {
		t.Run(test.name, func(t *testing.T) {
			host := newTeller()
			var st *State
			for i, sockets := range test.moments {
				st = host.tell(moment(float64(i), sockets...))
			}
			got := pools(st)[test.kind]
			if got.Used != test.used || got.Limit != test.limit || got.Level != test.level || got.Free != test.limit.Size()-test.used {
				t.Errorf("%d used of %+v, %d free, %v; want %d of %+v, %v", got.Used, got.Limit, got.Free, got.Level, test.used, test.limit, test.level)
			}
			if st.Level != test.level {
				t.Errorf("level %v, want %v", st.Level, test.level)
			}
			f := find(st, PrivatePool)
			if told := test.level > LevelOK || test.kind == PoolSourcePort; told != (f != nil) || f != nil && (f.Count != test.used || f.Of != test.limit.Size()) {
				t.Errorf("finding %+v", f)
			}
		})
	}
}

// What looks like a private pool, and is none.
func TestNoPrivatePool(t *testing.T) {
	t.Parallel()
	children := func(n int) (list []source.Socket) {
		for i := range n {
			list = append(list, socket(source.Established, "10.0.0.1:8080", fmt.Sprintf("10.0.8.1:%d", 50000+i)))
		}
		return list
	}
	for name, sockets := range map[string][]source.Socket{
		"connections of a listener":             append(children(200), socket(source.Listen, "0.0.0.0:8080", "")),
		"many of a listener that is gone":       children(200),
		"a few of a listener that is gone":      children(3),
		"one of a listener that is gone":        children(1),
		"peers that name their ports":           {socket(source.Established, "10.0.0.1:8080", "10.0.8.1:2000"), socket(source.Established, "10.0.0.1:8080", "10.0.8.1:2001")},
		"connect() under another range":         connections(40, source.Established, "10.0.0.1", 20000, 2, db),
		"every second port":                     connections(40, source.Established, "10.0.0.1", 40000, 2, db),
		"a tuple whose first half is used up":   append(connections(50, source.Established, "10.0.0.1", 40000, 2, db), connections(20, source.Established, "10.0.0.1", 40001, 2, db)...),
		"a lone short run":                      connections(3, source.Established, "10.0.0.1", 40000, 1, db),
		"ports that are bound here and there":   append(connections(10, source.Established, "10.0.0.1", 40000, 2, db), connections(9, source.Established, "10.0.0.1", 40031, 6, db)...),
		"a short run beside ports of bind(0)":   append(connections(4, source.Established, "10.0.0.1", 40000, 1, db), connections(12, source.Established, "10.0.0.1", 40031, 4, db)...),
		"explicit ports that no peer is behind": {socket(source.Bound, "10.0.0.1:2000", ""), socket(source.Bound, "10.0.0.1:2001", "")},
	} {
		t.Run(name, func(t *testing.T) {
			if got := pools(update(moment(0, sockets...))); len(got) != 0 {
				t.Errorf("pools %+v, want none", got)
			}
		})
	}
}

// The tables tell which sockets were bound to a port that was named, a listener's
// children among those that were not.
func TestPrivatePoolsThatAreKnown(t *testing.T) {
	t.Parallel()
	bind := func(by source.Bind, list []source.Socket) []source.Socket {
		for i := range list {
			list[i].Bind = by
		}
		return list
	}
	for _, test := range []struct {
		name    string
		sockets []source.Socket
		blocked []uint16
		want    []Limit
	}{
		{"in the range", bind(source.BindPort, connections(4, source.Established, "10.0.0.1", 40010, 2, db)), []uint16{40010, 40012, 40014, 40016}, []Limit{{PoolSourcePorts, 40010, 40016}}},
		{"across its end", bind(source.BindPort, connections(4, source.Established, "10.0.0.1", 39998, 1, db)), []uint16{40000, 40001}, []Limit{{PoolSourcePorts, 39998, 40001}}},
		{"bound to any port", bind(source.BindExplicit, connections(4, source.Established, "10.0.0.1", 40010, 1, db)), []uint16{40010, 40011, 40012, 40013}, nil},
		{"of two listeners that are gone", bind(source.BindExplicit, connections(2, source.Established, "10.0.0.1", 8080, 1, db)), nil, nil},
		{"one port", bind(source.BindPort, connections(1, source.Established, "10.0.0.1", 40010, 1, "10.0.9.2:50000")), []uint16{40010}, []Limit{{PoolSourcePort, 40010, 40010}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []Limit
			for _, p := range pools(update(known(moment(0, test.sockets...), test.blocked...))) {
				got = append(got, p.Limit)
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

// Where the tables tell that connect() took the ports, a range of the socket's own
// is full as other pools are.
func TestRangeOfTheSocketsOwn(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]Level{20: LevelExhausted, 8: LevelOK} {
		st := update(known(moment(0, connections(n, source.Established, "10.0.0.1", 40021, 1, db)...)))
		if got := pools(st)[PoolLocalRange]; got.Level != want || got.Limit.Size() != n || got.Used != n {
			t.Errorf("%d of a row: %+v, want %v", n, got, want)
		}
	}
}

// NFS and RPC clients take their ports below 1024, whatever else is there.
func TestReservedPorts(t *testing.T) {
	t.Parallel()
	nfs := connections(300, source.Established, "10.0.0.1", 700, 1, "10.0.9.2:2049")
	others := append(nfs, socket(source.Listen, "0.0.0.0:631", ""), socket(source.Established, "10.0.0.1:650", "10.0.9.3:2049"))
	st := update(moment(0, others...))
	for _, p := range st.TCP.Pressure.Tuples {
		if p.Limit != (Limit{PoolReserved, 600, 1023}) || p.Used != 302 || p.Free != 122 || p.Level != LevelWarning {
			t.Errorf("%+v, want 302 of 424 used", p)
		}
	}
	if n := len(st.TCP.Pressure.Tuples); n != 2 {
		t.Errorf("%d pools, want one for each server", n)
	}
}

// A private pool in no trouble stands behind what else is in none, one in
// trouble before what is in less.
func TestPrivatePoolsInOrder(t *testing.T) {
	t.Parallel()
	few := connections(5, source.Established, "10.0.0.1", 2000, 1, db)
	full := connections(20, source.Established, "10.0.0.1", 3000, 1, "10.0.9.4:80")
	plain := append(connections(50, source.Established, "10.0.0.1", 40000, 2, "10.0.9.5:80"), connections(20, source.Established, "10.0.0.1", 40001, 2, "10.0.9.5:80")...)
	st := update(moment(0, append(append(few, full...), plain...)...))
	var got []string
	for _, u := range st.TCP.Pressure.Tuples {
		got = append(got, fmt.Sprint(u.Pool, " ", u.Level))
	}
	if want := "[source-ports exhausted range warning source-ports ok]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	h := st.TCP.Pressure.Headline()
	if h.Limit.Size() != 20 || h.Used() != 20 || h.Free != 0 || h.Level != LevelExhausted {
		t.Errorf("headline %+v, want the full pool", h)
	}
	if w := st.TCP.Pressure.WorstOfRange(); w.Used != 70 {
		t.Errorf("worst of the range %+v", w)
	}
}
