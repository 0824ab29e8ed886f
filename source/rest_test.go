package source

import (
	"slices"
	"testing"
)

// crowd gives a listener, live connections and TIME_WAITs to one destination, and
// as many TIME_WAITs that a server has, each of another client.
func crowd(live, waits int) []Socket {
	rows := []Socket{{Proto: TCP, State: Listen, LocalPort: 80}}
	for i := range live + waits {
		s := Socket{Proto: TCP, State: Established, Remote: Addr4([4]byte{10, 0, 0, 1}), RemotePort: 443, LocalPort: uint16(40000 + i)}
		if i >= live {
			s.State, s.Timer, s.Expires = TimeWait, TimerTimeWait, 30_500
			server := s
			server.LocalPort, server.RemotePort = 80, s.LocalPort
			rows = append(rows, server)
		}
		rows = append(rows, s)
	}
	return rows
}

// rationed gives what is kept of a look, and what is counted.
func rationed(r *Ration, rows []Socket) (kept []Socket, s Snapshot) {
	var c Counter
	r.Begin()
	c.Begin(&Settings{Range: PortRange{Low: 40000, High: 60000}})
	for i := range rows {
		if r.Keep(&rows[i], &c) {
			kept = append(kept, rows[i])
		}
	}
	c.Give(&s)
	return kept, s
}

// Rows beyond the ration are counted, and none is lost: those in TIME_WAIT first,
// and never who listens.
func TestRation(t *testing.T) {
	t.Parallel()
	r := NewRation(120)
	rows := crowd(100, 1000)
	slices.Reverse(rows) // the listener last
	rationed(r, rows)
	kept, s := rationed(r, rows)
	states := map[State]int{}
	for i := range kept {
		states[kept[i].State]++
	}
	if states[Listen] != 1 || states[Established] != 100 || len(kept) > 121 || len(kept) < 101 {
		t.Errorf("%d rows are kept: %v", len(kept), states)
	}
	if n := len(kept) + s.Unlisted(); n != len(rows) {
		t.Errorf("%d of %d rows are kept or counted", n, len(rows))
	}
	ports := 0
	for _, p := range s.RestPorts {
		ports += p.Count()
	}
	to := 0
	for _, rest := range s.Rest {
		if rest.RemotePort == 443 {
			to += rest.Count
			if rest.State != TimeWait || rest.Expires != 31 || rest.Odd*2-rest.Count > 1 {
				t.Errorf("counted is %+v", rest)
			}
		}
	}
	if to != ports || len(s.Rest) != 2 {
		t.Errorf("%d connections on %d ports in %d counts", to, ports, len(s.Rest))
	}
}

// No number of live connections, and of destinations, takes more.
func TestRationOfLive(t *testing.T) {
	t.Parallel()
	r := NewRation(64)
	rows := crowd(1000, 0)
	for i := range rows[1:] {
		rows[1+i].RemotePort = uint16(i + 1)
	}
	for range 2 {
		kept, s := rationed(r, rows)
		if len(kept) > 65 || len(kept)+s.Unlisted() != len(rows) || len(s.Rest) > 64/restShare+int(NumStates) {
			t.Errorf("%d rows are kept, %d are counted in %d", len(kept), s.Unlisted(), len(s.Rest))
		}
	}
}

// Nor does any number of sockets that are bound and no more: their ports are told.
func TestRationOfBound(t *testing.T) {
	t.Parallel()
	rows := crowd(0, 0)
	for i := range 1000 {
		rows = append(rows, Socket{Proto: TCP, State: Bound, LocalPort: uint16(40000 + i)})
	}
	kept, s := rationed(NewRation(64), rows)
	if len(kept) > 65 || kept[0].State != Listen || len(kept)+s.Unlisted() != len(rows) {
		t.Errorf("%d rows are kept, %d are counted", len(kept), s.Unlisted())
	}
	ports := 0
	for _, p := range s.RestPorts {
		ports += p.Count()
	}
	if ports != s.Unlisted() {
		t.Errorf("%d ports are told of %d", ports, s.Unlisted())
	}
}

// Without a ration all rows are kept.
func TestNoRation(t *testing.T) {
	t.Parallel()
	if kept, s := rationed(NewRation(0), crowd(3, 3)); len(kept) != 10 || s.Rest != nil || s.RestPorts != nil {
		t.Errorf("%d rows are kept, %v is counted", len(kept), s.Rest)
	}
}
