package source

import "fmt"

// Rest is what is known of connections for whose rows there was no room: how
// many there are that are the same but for the port. Without a Remote they hold
// no port of the range, or there are too many tuples to tell them apart.
type Rest struct {
	State      State  `json:"state"`
	Local      Addr   `json:"local"`
	Remote     Addr   `json:"remote"`
	RemotePort uint16 `json:"remote_port"`
	Interface  uint32 `json:"interface"`
	// Stamps and Expires are those of a TIME_WAIT: the time left in whole seconds,
	// and 1 more than there are. 0 where too many differ.
	Stamps  Stamps `json:"stamps"`
	Expires uint8  `json:"expires"`
	// Count is how many there are, each on a port of its own where there is a
	// Remote, and Odd those of them on odd ports.
	Count int `json:"count"`
	Odd   int `json:"odd"`
}

// Ration keeps the rows of a look within a number, those in TIME_WAIT last, and
// counts the rest. The nil Ration keeps all.
type Ration struct {
	rows int
	// live are the rows of the look before that were not in TIME_WAIT: there is
	// to be room for as many.
	live, liveNow, waits int
}

// NewRation makes a Ration of so many rows; nil for 0.
func NewRation(rows int) *Ration {
	if rows == 0 {
		return nil
	}
	return &Ration{rows: rows, live: rows / 2}
}

// Begin begins a look.
func (r *Ration) Begin() {
	if r != nil && r.liveNow+r.waits > 0 {
		r.live, r.liveNow, r.waits = r.liveNow+r.liveNow/16, 0, 0
	}
}

// Most is how many of so many rows are kept.
func (r *Ration) Most(rows int) int {
	if r == nil {
		return rows
	}
	return min(rows, r.rows)
}

// Keep reports whether a row is to be kept, of those of which rest counts the
// others.
func (r *Ration) Keep(s *Socket, rest *Counter) bool {
	if r == nil {
		return true
	}
	waits := s.State == TimeWait
	if !waits {
		r.liveNow++
	}
	if s.Proto != TCP || s.State == Listen || !waits && r.liveNow+r.waits <= r.rows {
		return true // who listens decides about others' ports
	}
	if waits && r.waits < r.rows-max(r.live, r.liveNow) {
		r.waits++
		return true
	}
	rest.count(s, r.rows/restShare)
	return false
}

// KeepFrom drops those rows from an index on that are not to be kept.
func (r *Ration) KeepFrom(rows []Socket, from int, rest *Counter) []Socket {
	if r == nil {
		return rows
	}
	kept := rows[:from]
	for i := range rows[from:] {
		if s := &rows[from+i]; r.Keep(s, rest) {
			kept = append(kept, *s)
		}
	}
	return kept
}

// restShare is how many rows there are to one Rest.
const restShare = 8

// Counter counts what a namespace's snapshot has no rows for.
type Counter struct {
	index  map[Rest]int
	list   []Rest
	usable PortSet
	ports  PortSet
}

// Begin begins a look at a namespace with these settings.
func (c *Counter) Begin(s *Settings) {
	clear(c.index)
	c.list, c.ports = nil, PortSet{} // what was handed out is kept with moments
	c.usable.SetUsable(s)
}

// count counts a row, in one of at most so many Rests for each of its forms.
func (c *Counter) count(s *Socket, most int) {
	key := Rest{State: s.State}
	if c.usable.Has(s.LocalPort) {
		c.ports.Add(s.LocalPort)
		key = Rest{State: s.State, Local: s.Local, Remote: s.Remote, RemotePort: s.RemotePort, Interface: s.Interface}
		if timed := key; s.State == TimeWait && s.Timer == TimerTimeWait {
			timed.Stamps, timed.Expires = s.Stamps, uint8(min(s.Expires/1000+1, 255))
			if _, known := c.index[timed]; known || len(c.list) < most/2 {
				key = timed
			}
		}
		if _, known := c.index[key]; !known && len(c.list) >= most {
			key = Rest{State: s.State} // those with most ports came early
		}
	}
	n, ok := c.index[key]
	if !ok {
		if c.index == nil {
			c.index = make(map[Rest]int)
		}
		n = len(c.list)
		c.index[key], c.list = n, append(c.list, key)
	}
	c.list[n].Count++
	c.list[n].Odd += int(s.LocalPort & 1)
}

// Give hands out in s what was counted.
func (c *Counter) Give(s *Snapshot) {
	if s.Rest = c.list; len(c.list) > 0 {
		s.RestPorts = c.ports.AppendRanges(nil)
	}
}

// Unlisted is how many connections a Snapshot has no rows for.
func (s *Snapshot) Unlisted() int {
	n := 0
	for i := range s.Rest {
		n += s.Rest[i].Count
	}
	return n
}

// LimitRows adds that there was no room for rows, if that is so: "36000 209000
// 40265318" of 209,000 sockets in so many bytes.
func (m *Moment) LimitRows(bytes int64) {
	rows, rest := 0, 0
	for i := range m.Snapshots {
		rows, rest = rows+len(m.Snapshots[i].Sockets), rest+m.Snapshots[i].Unlisted()
	}
	if rest > 0 {
		m.Limit(LimitRows, fmt.Sprint(rows, rows+rest, bytes))
	}
}
