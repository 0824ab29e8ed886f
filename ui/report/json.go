package report

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

// JSON writes the state as one JSON object, a field or an element of a list
// on each line. Connections are written as they are encoded, so that a
// hundred thousand of them take no memory beside the state.
//
// Where the facts leave a field open, it means this:
//   - level is the worse of TCP's and UDP's;
//   - tuples are those of TCP whatever the filter; their processes, and the
//     processes of the whole, count the ports and sockets whose owner was observed
//     or traced, and none that is merely inferred;
//   - likely is how many ports more are inferred to be the process's own, and is
//     left out where none is. So are ended, for one that lives, and container and
//     unit where they are not known or there is none;
//   - pid and process of a connection are left out where no owner is known,
//     and are a likely owner where owner is "inferred";
//   - uid is the kernel's, or that of the observed process where the kernel
//     has none (TIME_WAIT), and is left out otherwise;
//   - inode is 0 where there is none, as for every TIME_WAIT;
//   - expires_ms is the time that is left in TIME_WAIT, and is there only on
//     sockets whose time-wait timer runs;
//   - the count of failures says nothing where they are not observed, which
//     takes a trace of the kernel;
//   - outlook is that of the worst tuple, or of the pool where that is the limit:
//     in_seconds is the time until its verdict comes true, 0 where no port is free
//     now; settles_at is where the use comes to a rest, null where it gets full.
//     It is unknown where one poll alone cannot tell;
//   - seconds_to_full is there only on the worst tuple, if its outlook is full
//     and it is not so yet; plateau is where the use settles, or at least all
//     there is where it gets full;
//   - missed is a port that connect() does not come by in a range with an odd
//     number of ports, where no other is free; it is neither used nor free;
//   - bind_pools and kinds are those of both protocols whatever the filter;
//   - blocked_known is the part of blocked that the kernel told of, and left out
//     where it tells of none: where it tells of all, nothing is suspected;
//   - limit says which ports a tuple has where that is not the range, and used,
//     free and percent are of these; but for "reserved-ports" they are those that
//     were seen, and nobody knows whether there are more. "own-udp-ports" are those
//     of a process that picks its UDP ports itself, to any destination;
//   - interface is the number of the one that a tuple's sockets are bound to, and
//     left out where that is none;
//   - namespace is the one that all but namespaces is about. Of a namespace that
//     was not looked at, since it is far from trouble, percent is null and
//     bound_percent more than it can be. Findings of several namespaces say whose
//     they are. Where the origin knows nothing of namespaces, all this is left out;
//   - snat are the ports that source NAT has given out, as far as connection tracking
//     can be asked: of every namespace, or only of the one. ports is how many the
//     pool has, by the rules or as is usual, and evictable the part of used that gives
//     way to new connections;
//   - nat_on_the_way is what a NAT on the way has for each destination (--nat), and left
//     out without: used is at most ports, live of it for certain, and opening,
//     time_wait and closed (in the last minute) may hold a port or not.
//
// Percentages are rounded to one decimal.
func JSON(w io.Writer, st *model.State, o Options) error {
	p := newJSONPage(w, st)
	p.head()
	p.findings(&o)
	p.tuples()
	p.field("states", jsonStates(p.states(o.protocols())))
	p.processes(o.protocols())
	p.kinds()
	p.bindPools()
	p.connections(o.Rows)
	p.field("failures", newFailures(st))
	p.reasons()
	p.field("outlook", newOutlook(&st.Outlook))
	p.namespaces(&o)
	p.nats(&o)
	p.ways(&o)
	return p.end()
}

// jsonPage writes one object. An error of writing stays in out, the first one
// of encoding in err.
type jsonPage struct {
	*cleanState
	out    *bufio.Writer
	buf    bytes.Buffer
	err    error
	opened bool
}

func newJSONPage(w io.Writer, st *model.State) *jsonPage {
	return &jsonPage{out: bufio.NewWriterSize(w, 64<<10), cleanState: newCleanState(st)}
}

// end closes the object and hands on the first error.
func (p *jsonPage) end() error {
	p.out.WriteString("\n}\n")
	return cmp.Or(p.err, p.out.Flush())
}

type jsonRange struct {
	Low      uint16 `json:"low"`
	High     uint16 `json:"high"`
	Ports    int    `json:"ports"`
	Reserved int    `json:"reserved"`
	Usable   int    `json:"usable"`
}

type jsonUse struct {
	InUse   int     `json:"in_use"`
	Percent float64 `json:"percent"`
	// OnlyIPv6 are those of in_use that are free for who asks for IPv4.
	OnlyIPv6 int `json:"ipv6_only,omitempty"`
}

type jsonTuple struct {
	Source           string       `json:"source"`
	Destination      string       `json:"destination"`
	Port             uint16       `json:"port"`
	Interface        uint32       `json:"interface,omitempty"`
	Used             int          `json:"used"`
	Free             int          `json:"free"`
	Missed           int          `json:"missed,omitempty"`
	Percent          float64      `json:"percent"`
	Blocked          int          `json:"blocked"`
	Suspected        int          `json:"suspected"`
	BlockedKnown     *int         `json:"blocked_known,omitempty"`
	TimeWait         int          `json:"time_wait"`
	Reusable         int          `json:"reusable"`
	FirstHalfPercent float64      `json:"first_half_percent"`
	SlowConnect      bool         `json:"slow_connect"`
	Closes           float64      `json:"closes_per_second"`
	Sustainable      float64      `json:"sustainable_closes_per_second"`
	Plateau          int          `json:"plateau"`
	SecondsToFull    *float64     `json:"seconds_to_full,omitempty"`
	Limit            *jsonLimit   `json:"limit,omitempty"`
	Level            string       `json:"level"`
	Processes        []jsonHolder `json:"processes"`
}

// jsonLimit is a private pool of ports.
type jsonLimit struct {
	Kind string `json:"kind"`
	Low  uint16 `json:"low"`
	High uint16 `json:"high"`
}

func newLimit(l model.Limit) *jsonLimit {
	if l.Kind == model.PoolRange {
		return nil
	}
	return &jsonLimit{l.Kind.String(), l.Low, l.High}
}

type jsonHolder struct {
	PID   int32  `json:"pid"`
	Name  string `json:"name"`
	Ports int    `json:"ports"`
}

type jsonProcess struct {
	jsonHolder
	Likely  int        `json:"likely,omitempty"`
	Sockets int        `json:"sockets"`
	States  jsonStates `json:"states"`
	// Container and Unit are those of its control group.
	Container string `json:"container,omitempty"`
	Unit      string `json:"unit,omitempty"`
	// Ended is when it was found to have ended.
	Ended string `json:"ended,omitempty"`
}

// jsonStates is an object of the counts that are not 0, in the order of a
// port's life.
type jsonStates model.StateCounts

func (c jsonStates) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for _, s := range model.LifeOrder {
		if c[s] == 0 {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(b, s.String())
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(c[s]), 10)
	}
	return append(b, '}'), nil
}

// jsonTime has milliseconds also where they are 0: RFC 3339, section 5.6. Times
// are in UTC.
const jsonTime = "2006-01-02T15:04:05.000Z07:00"

func (p *jsonPage) head() {
	m, snap := p.Moment, p.Snapshot
	p.field("time", m.Time.UTC().Format(jsonTime))
	p.field("host", text.Sanitize(m.Host))
	p.field("os", text.Sanitize(m.OS))
	p.field("source", text.Sanitize(m.Source))
	r := snap.Settings.Range
	p.field("range", jsonRange{r.Low, r.High, r.Count(), snap.Settings.ReservedInRange(), snap.Settings.Usable()})
	p.field("pool", map[string]jsonUse{"tcp": poolUse(&p.TCP.Pressure), "udp": poolUse(&p.UDP.Pressure)})
	p.field("level", p.Level.String())
}

func poolUse(p *model.Pressure) jsonUse {
	use := jsonUse{InUse: p.InUse, Percent: shareTenth(p.PoolPercent())}
	if p.Proto == source.UDP { // of TCP, every destination has its own
		use.OnlyIPv6 = p.OnlyIPv6
	}
	return use
}

func tenth(n float64) float64 { return math.Round(n*10) / 10 }

// shareTenth rounds a share in percent so that 100 is all.
func shareTenth(percent float64) float64 {
	if n := tenth(percent); n != 100 || percent >= 100 {
		return n
	}
	return 99.9
}

func (p *jsonPage) tuples() {
	tuples := slices.Concat(p.TCP.Pressure.Tuples, p.UDP.Pressure.Tuples)
	holders := p.holders()
	p.list("tuples", len(tuples), func(i int) {
		t := &tuples[i]
		o := &t.Outlook
		p.value(jsonTuple{
			Source: t.Source.String(), Destination: t.Destination.String(), Port: t.Port, Interface: t.Interface,
			Used: t.Used, Free: t.Free, Missed: t.Missed, Percent: shareTenth(t.Percent()),
			Blocked: t.Blocked, Suspected: t.Suspected, BlockedKnown: p.blockedKnown(t), TimeWait: t.TimeWait, Reusable: t.Reusable,
			FirstHalfPercent: shareTenth(t.FirstHalfPercent()), SlowConnect: t.SlowConnect(),
			Closes: tenth(o.CloseRate), Sustainable: tenth(o.Sustainable), Plateau: o.Plateau, SecondsToFull: p.secondsToFull(t),
			Limit: newLimit(t.Limit), Level: t.Level.String(), Processes: p.holdersOf(t, holders),
		})
	})
}

func (p *jsonPage) blockedKnown(t *model.TupleUse) *int {
	if !p.Snapshot.BlockedKnown && t.BlockedKnown == 0 {
		return nil
	}
	return &t.BlockedKnown
}

func (p *jsonPage) holder(process int32, ports int) jsonHolder {
	return jsonHolder{p.Processes[process].PID, p.names[process], ports}
}

// secondsToFull is the time until no port is free, nil where that is not
// known or does not come.
func (p *jsonPage) secondsToFull(t *model.TupleUse) *float64 {
	head := p.TCP.Pressure.Headline()
	if head.Scope != model.ScopeTuple || head.Key != t.TupleKey || t.Outlook.Left() <= 0 {
		return nil
	}
	seconds := tenth(t.Outlook.Left().Seconds())
	return &seconds
}

// inferred counts the sockets that are merely inferred to be a process's.
func (p *jsonPage) inferred(protocols []source.Proto) map[int32]model.StateCounts {
	counts := make(map[int32]model.StateCounts)
	for i := range p.Rows {
		r, s := &p.Rows[i], &p.Snapshot.Sockets[i]
		if r.Tier == model.OwnerInferred && slices.Contains(protocols, s.Proto) {
			c := counts[r.Process]
			c[s.State]++
			counts[r.Process] = c
		}
	}
	return counts
}

func (p *jsonPage) processes(protocols []source.Proto) {
	list := slices.DeleteFunc(p.AppendConsumers(nil, model.ByProcess, protocols...), func(c model.Consumer) bool {
		return c.Process == source.NoProcess
	})
	inferred := p.inferred(protocols)
	p.list("processes", len(list), func(i int) {
		c := &list[i]
		states := c.States
		for state, n := range inferred[c.Process] {
			states[state] -= n
		}
		v := jsonProcess{jsonHolder: p.holder(c.Process, c.Ports-c.Likely), Likely: c.Likely, Sockets: states.Total(), States: jsonStates(states)}
		container, unit := p.Home(c.Process)
		v.Container, v.Unit = text.Sanitize(container), text.Sanitize(unit)
		if at, ended := p.Exit(c.Process); ended {
			v.Ended = at.UTC().Format(jsonTime)
		}
		p.value(v)
	})
}

// connections appends the rows by hand: encoding/json takes several times as
// long (BenchmarkJSON).
func (p *jsonPage) connections(rows []int32) {
	names := make([][]byte, len(p.names))
	for i, name := range p.names {
		names[i] = bytes.Clone(p.encode(name))
	}
	var b []byte
	p.list("connections", len(rows), func(i int) {
		b = p.appendConnection(b[:0], rows[i], names)
		p.out.Write(b)
	})
}

func (p *jsonPage) appendConnection(b []byte, row int32, names [][]byte) []byte {
	s, r := &p.Snapshot.Sockets[row], &p.Rows[row]
	b = append(b, `{"proto":"`...)
	b = append(b, s.Proto.String()...)
	b = append(b, `","state":"`...)
	b = append(b, s.State.String()...)
	b = append(b, `","local":"`...)
	b = source.AppendAddrPort(b, s.Local, s.LocalPort)
	b = append(b, `","remote":"`...)
	b = source.AppendAddrPort(b, s.Remote, s.RemotePort)
	b = append(b, `","ephemeral":`...)
	b = strconv.AppendBool(b, p.Snapshot.Settings.Ephemeral(s.LocalPort))
	if r.Process != source.NoProcess {
		b = append(b, `,"pid":`...)
		b = strconv.AppendInt(b, int64(p.Processes[r.Process].PID), 10)
		b = append(b, `,"process":`...)
		b = append(b, names[r.Process]...)
	}
	b = append(b, `,"owner":"`...)
	b = append(b, r.Tier.String()...)
	b = append(b, '"')
	if uid, ok := p.uid(row); ok {
		b = append(b, `,"uid":`...)
		b = strconv.AppendUint(b, uint64(uid), 10)
	}
	b = append(b, `,"inode":`...)
	b = strconv.AppendUint(b, uint64(s.Inode), 10)
	if ms, ok := expires(s); ok {
		b = append(b, `,"expires_ms":`...)
		b = strconv.AppendUint(b, uint64(ms), 10)
	}
	return append(b, '}')
}

func (p *jsonPage) field(name string, value any) {
	p.name(name)
	p.value(value)
}

// list writes a list of n elements, each on a line of its own.
func (p *jsonPage) list(name string, n int, element func(i int)) {
	p.name(name)
	p.out.WriteByte('[')
	for i := range n {
		if i > 0 {
			p.out.WriteByte(',')
		}
		p.out.WriteString("\n    ")
		element(i)
	}
	if n > 0 {
		p.out.WriteString("\n  ")
	}
	p.out.WriteByte(']')
}

func (p *jsonPage) name(name string) {
	open := ','
	if !p.opened {
		open, p.opened = '{', true
	}
	fmt.Fprintf(p.out, "%c\n  %q: ", open, name)
}

func (p *jsonPage) value(v any) { p.out.Write(p.encode(v)) }

// encode gives v in JSON, valid until the next call. Unlike json.Marshal it
// leaves <, > and & as they are.
func (p *jsonPage) encode(v any) []byte {
	p.buf.Reset()
	e := json.NewEncoder(&p.buf)
	e.SetEscapeHTML(false)
	p.err = cmp.Or(p.err, e.Encode(v))
	return bytes.TrimSuffix(p.buf.Bytes(), []byte("\n"))
}
