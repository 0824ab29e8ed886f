package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/fleet"
	"ephtop/ui/advice"
	"ephtop/ui/text"
)

// What names may take in a line of a watch, in bytes, so that all of it is less
// than 900.
const (
	hostBytes      = 64
	versionBytes   = 40
	namespaceBytes = 60
	holderBytes    = 20
)

// WatchOptions say what a line of a watch tells beside the state.
type WatchOptions struct {
	Version string
	// Watched is for how long failed connects were counted.
	Watched time.Duration
}

// WatchJSON writes what a State comes to in one line: for who looks at many hosts
// and cannot take more of each. ui/command says what the fields are.
func WatchJSON(w io.Writer, st *model.State, o WatchOptions) error {
	m := st.Moment
	p, outlook := st.Worse()
	line := fleet.Line{
		Time: m.Time.UTC().Format(jsonTime), Host: text.Clip(m.Host, hostBytes), Version: text.Clip(o.Version, versionBytes),
		Level: st.Level.String(), Worst: newWatchWorst(p, &outlook), Outlook: fleet.LineOutlook(newOutlook(&outlook)),
		Failures:  fleet.LineFailures{Observed: st.Failures.Observed, Connects: recentConnects(st), Seconds: int(min(o.Watched, model.HistorySpan).Seconds())},
		Namespace: text.Clip(advice.Namespace(&st.Snapshot.Scope), namespaceBytes),
	}
	if nat := st.NATPool(); nat != nil {
		line.Worst, line.Outlook = newWatchNAT(nat), fleet.LineOutlook(newOutlook(&nat.Outlook))
	}
	if process, tier := holder(st, p); process != source.NoProcess {
		p := &st.Processes[process]
		line.Holder = &fleet.LineHolder{PID: p.PID, Name: text.Clip(p.Name, holderBytes), Owner: tier.String()}
	}
	b, err := line.AppendJSON(nil)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

func newWatchWorst(p *model.Pressure, o *model.Outlook) fleet.LineWorst {
	h := p.Headline()
	worst := fleet.LineWorst{
		Proto: p.Proto.String(), Used: h.Used(), Usable: h.Used() + h.Free, Percent: shareTenth(h.Percent()), TimeWait: h.TimeWait,
		Plateau: o.Plateau, Closes: tenth(o.CloseRate),
	}
	if h.Scope != model.ScopePool {
		worst.Source = h.Key.Source.String()
	}
	if h.Scope == model.ScopeTuple {
		worst.Destination, worst.Port = h.Key.Destination.String(), h.Key.Port
	}
	return worst
}

// newWatchNAT is about translated ports, where these are what is worst.
func newWatchNAT(p *model.NATPoolUse) fleet.LineWorst {
	return fleet.LineWorst{
		SNAT: true, Proto: p.Proto.String(), Source: p.Address.String(), Destination: p.Remote.String(), Port: p.RemotePort,
		Used: p.Used, Usable: p.Capacity(), Percent: shareTenth(p.Percent()), TimeWait: p.Evictable, Plateau: cmp.Or(p.Outlook.Plateau, p.Used),
	}
}

// holder gives who holds most of what the headline is about: of the tuple, or of
// all ports.
func holder(st *model.State, p *model.Pressure) (process int32, tier model.Tier) {
	if nat := st.NATPool(); nat != nil {
		if len(nat.Holders) == 0 {
			return source.NoProcess, model.OwnerUnknown
		}
		return nat.Holders[0].Process, nat.Holders[0].Tier
	}
	head := p.Headline()
	if t := p.TupleOf(&head); t != nil {
		return t.Process, t.Tier
	}
	for _, c := range st.Of(p.Proto).Consumers[model.ByProcess] {
		if c.Process != source.NoProcess && c.Ports > 0 {
			return c.Process, c.Tier
		}
	}
	return source.NoProcess, model.OwnerUnknown
}

// recentConnects counts the connects that failed in the last HistorySpan.
func recentConnects(st *model.State) int {
	n := 0
	for i := range st.Failures.By {
		if f := &st.Failures.By[i]; f.Kind == source.ConnectFailed && f.Proto == source.TCP {
			n += f.Count
		}
	}
	return n
}

// WatchText writes the same for a person.
//
//	12:01:04 demo-web-01 CRITICAL: 88.2 % of 28,232 ports to 10.0.9.2:5432 used, full in 14s; api (pid 4410); 12 connects failed in 5m
func WatchText(w io.Writer, st *model.State, o WatchOptions) error {
	m := st.Moment
	line := m.Time.Format(time.TimeOnly) + " " + text.Clip(m.Host, hostBytes)
	if name := text.Clip(advice.Namespace(&st.Snapshot.Scope), namespaceBytes); name != "" && st.Snapshot.Scope.Kind != source.ScopeHost {
		line += " " + name
	}
	line += " " + strings.ToUpper(st.Level.String()) + ": " + checkWords(st, OnAny)
	worse, _ := st.Worse()
	if process, tier := holder(st, worse); process != source.NoProcess {
		p := &st.Processes[process]
		likely := ""
		if tier == model.OwnerInferred {
			likely = "likely "
		}
		line += fmt.Sprintf("; %s%s (pid %d)", likely, text.Clip(p.Name, holderBytes), p.PID)
	}
	if n := recentConnects(st); n > 0 {
		line += fmt.Sprintf("; %s failed in %s", text.Plural(n, "connect", "connects"), text.Duration(min(o.Watched, model.HistorySpan)))
	}
	_, err := io.WriteString(w, line+"\n")
	return err
}
