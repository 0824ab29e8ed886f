package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ephtop/source"
)

// Line is a line of "ephtop watch -o json", as it is written and read. Package
// ui/command says what its fields are. Names in it are cut, so that a line takes
// less than [LongestLine] bytes.
type Line struct {
	Time      string       `json:"time"`
	Host      string       `json:"host"`
	Version   string       `json:"version"`
	Level     string       `json:"level"`
	Worst     LineWorst    `json:"worst"`
	Holder    *LineHolder  `json:"holder"`
	Outlook   LineOutlook  `json:"outlook"`
	Failures  LineFailures `json:"failures"`
	Namespace string       `json:"namespace,omitempty"`
}

// LineWorst is what fails first.
type LineWorst struct {
	Proto       string  `json:"proto"`
	Source      string  `json:"source,omitempty"`
	Destination string  `json:"destination,omitempty"`
	Port        uint16  `json:"port,omitempty"`
	Used        int     `json:"used"`
	Usable      int     `json:"usable"`
	Percent     float64 `json:"percent"`
	TimeWait    int     `json:"time_wait"`
	Plateau     int     `json:"plateau"`
	Closes      float64 `json:"closes_per_second"`
	// SNAT says that it is the ports of a translated address, Source.
	SNAT bool `json:"snat,omitempty"`
}

// LineHolder is who has most of it.
type LineHolder struct {
	PID   int32  `json:"pid"`
	Name  string `json:"name"`
	Owner string `json:"owner"`
}

// LineOutlook is where it is going.
type LineOutlook struct {
	Verdict   string   `json:"verdict"`
	InSeconds *float64 `json:"in_seconds"`
	SettlesAt *int     `json:"settles_at"`
}

// LineFailures are the connects that failed in the last seconds.
type LineFailures struct {
	Observed bool `json:"observed"`
	Connects int  `json:"connects"`
	Seconds  int  `json:"seconds"`
}

// LongestLine is more than a Line takes, in bytes, its end included. One of a later
// version may have grown.
const LongestLine = 4096

// AppendJSON appends the line, with its end.
func (l *Line) AppendJSON(b []byte) ([]byte, error) {
	out := bytes.NewBuffer(b)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false) // or < would take six bytes
	if err := e.Encode(l); err != nil {
		return b, fmt.Errorf("encode a line of the watch: %w", err)
	}
	return out.Bytes(), nil
}

// errNoLine is for what is not a line of a watch, whatever else it is.
var errNoLine = errors.New("no line of ephtop watch")

// ParseLine reads a line.
func ParseLine(b []byte) (Line, error) {
	var l Line
	if len(b) >= LongestLine {
		return Line{}, errNoLine
	}
	if err := json.Unmarshal(b, &l); err != nil || l.Time == "" || !slices.Contains(levels[:], l.Level) {
		return Line{}, errNoLine
	}
	w := &l.Worst
	if w.Usable < 0 || w.Used < 0 || w.TimeWait < 0 || w.Plateau < 0 || l.Failures.Connects < 0 {
		return Line{}, errNoLine
	}
	return l, nil
}

// ownNamespace is the name of the namespace that is the host's own.
const ownNamespace = "host"

// mostOutlook is the longest time that an outlook may speak of.
const mostOutlook = 1000 * 24 * time.Hour

// Summary is what the line says of its host.
func (l *Line) Summary() Summary {
	s := Summary{
		Level: Level(slices.Index(levels[:], l.Level)), UDP: l.Worst.Proto == "udp",
		Used: l.Worst.Used, Usable: l.Worst.Usable, TimeWait: min(l.Worst.TimeWait, l.Worst.Used), Plateau: l.Worst.Plateau, Closes: l.Worst.Closes,
		Verdict: verdict(l.Outlook.Verdict), Failed: l.Failures.Connects, Observed: l.Failures.Observed,
	}
	s.Destination, s.Port = endpoint(l.Worst.Destination, l.Worst.Port)
	s.Source, _ = endpoint(l.Worst.Source, 0)
	if in := l.Outlook.InSeconds; in != nil {
		s.In = seconds(*in)
	}
	if l.Holder != nil {
		s.Holder, s.Likely = clip(l.Holder.Name), l.Holder.Owner == "inferred"
	}
	if l.Namespace != ownNamespace {
		s.Namespace = clip(l.Namespace)
	}
	return s
}

// written is when the line was, by the clock of the host; the zero Time where it is
// not told in a way that is understood.
func (l *Line) written() time.Time {
	at, err := time.Parse(time.RFC3339, l.Time)
	if err != nil {
		return time.Time{}
	}
	return at
}

func verdict(s string) Verdict {
	switch v := Verdict(s); v {
	case VerdictFull, VerdictLevelsOff, VerdictDrains, VerdictSteady:
		return v
	}
	return VerdictUnknown
}

// endpoint reads an address, if it is one.
func endpoint(address string, port uint16) (source.Addr, uint16) {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return source.Addr{}, 0
	}
	return source.AddrFrom(a), port
}

// seconds is a time from now on, as far as one looks ahead.
func seconds(s float64) time.Duration {
	if !(s > 0) { // NaN is neither
		return 0
	}
	return time.Duration(min(s, mostOutlook.Seconds()) * float64(time.Second))
}
