package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

// JSONLine writes what [JSON] writes, on a line of its own: for a series of moments.
func JSONLine(w io.Writer, st *model.State, o Options) error {
	if err := JSON(&oneLine{w: w}, st, o); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// oneLine leaves out the ends of lines, and the spaces that begin them. In JSON they
// stand between values only: a string has none of them as it is.
type oneLine struct {
	w      io.Writer
	begins bool // a line
	buf    []byte
}

func (l *oneLine) Write(p []byte) (int, error) {
	l.buf = l.buf[:0]
	for _, c := range p {
		l.begins = c == '\n' || l.begins && c == ' '
		if !l.begins {
			l.buf = append(l.buf, c)
		}
	}
	if _, err := l.w.Write(l.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Series writes the figures of moments as CSV, a record each after a header. Names
// are guarded as in [CSV], and a field is empty where its value is not known.
type Series struct {
	out   *csv.Writer
	begun bool
}

// NewSeries makes a Series that writes to w. The header comes with the first moment.
func NewSeries(w io.Writer) *Series { return &Series{out: csv.NewWriter(w)} }

// Add writes the figures of one moment. The states are those of TCP, unless
// Options.Protocols say otherwise.
func (s *Series) Add(st *model.State, o Options) error {
	var names, values []string
	for _, f := range newCleanState(st).figures(&o) {
		names, values = append(names, f.name), append(values, f.value)
	}
	if !s.begun {
		s.begun = true
		if err := s.out.Write(names); err != nil {
			return err
		}
	}
	if err := s.out.Write(values); err != nil {
		return err
	}
	s.out.Flush()
	return s.out.Error()
}

// figure is a field of a Series and its value.
type figure struct{ name, value string }

// figures gives those of a moment. Those of worst are of what fails first, verdict to
// settles_at are its outlook, and holder is who has most of it.
func (m *cleanState) figures(o *Options) []figure {
	tcp, udp := &m.TCP.Pressure, &m.UDP.Pressure
	worse, outlook := m.Worse()
	worst, verdict := newWatchWorst(worse, &outlook), newOutlook(&outlook)
	list := []figure{
		{"time", m.Moment.Time.UTC().Format(jsonTime)},
		{"host", guard(text.Sanitize(m.Moment.Host))},
		{"namespace", guard(text.Sanitize(m.namespace()))},
		{"level", m.Level.String()},
		{"usable", strconv.Itoa(tcp.Usable)},
		{"tcp_in_use", strconv.Itoa(tcp.InUse)}, {"tcp_percent", number(shareTenth(tcp.PoolPercent()))},
		{"udp_in_use", strconv.Itoa(udp.InUse)}, {"udp_percent", number(shareTenth(udp.PoolPercent()))},
		{"worst_proto", worst.Proto},
		{"worst_source", worst.Source}, {"worst_destination", worst.Destination}, {"worst_port", portIfAny(worst.Port)},
		{"worst_used", strconv.Itoa(worst.Used)}, {"worst_free", strconv.Itoa(worst.Usable - worst.Used)}, {"worst_percent", number(worst.Percent)},
		{"worst_time_wait", strconv.Itoa(worst.TimeWait)}, {"worst_closes_per_second", number(worst.Closes)},
		{"worst_plateau", strconv.Itoa(worst.Plateau)},
		{"verdict", verdict.Verdict}, {"in_seconds", ifKnown(verdict.InSeconds, number)}, {"settles_at", ifKnown(verdict.SettlesAt, strconv.Itoa)},
	}
	list = append(list, m.holderFigures(worse)...)
	failures := ""
	if m.Failures.Observed {
		failures = strconv.Itoa(m.Failures.Count)
	}
	list = append(list, figure{"failures", failures})
	states := m.states(o.protocols())
	for _, s := range model.LifeOrder {
		list = append(list, figure{strings.ToLower(s.String()), strconv.Itoa(states[s])})
	}
	return list
}

func (m *cleanState) holderFigures(worse *model.Pressure) []figure {
	var pid, name, owner string
	if process, tier := holder(m.State, worse); process != source.NoProcess {
		pid, name, owner = strconv.Itoa(int(m.Processes[process].PID)), guard(m.names[process]), tier.String()
	}
	return []figure{{"holder_pid", pid}, {"holder", name}, {"holder_owner", owner}}
}

// number writes one as JSON has it.
func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// portIfAny writes a port, and nothing for none.
func portIfAny(port uint16) string {
	if port == 0 {
		return ""
	}
	return decimal(uint32(port))
}

// ifKnown writes what p points to, and nothing for nil.
func ifKnown[T any](p *T, write func(T) string) string {
	if p == nil {
		return ""
	}
	return write(*p)
}
