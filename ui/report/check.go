package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/text"
)

// CheckOn says which figure a check is about.
type CheckOn uint8

// The figures of a check.
const (
	OnTuple   CheckOn = iota // the worst destination
	OnPool                   // the whole range, whatever the destination
	OnPlateau                // where the worst destination will level off
	OnAny                    // whatever is worst in any namespace
)

// CheckLevel is what a check of one namespace comes to: the level of the
// headline as the dashboard shows it, that of the pools, or that which the use
// will have when it has levelled off. A connect that was seen to fail makes it
// exhausted in any case.
func CheckLevel(st *model.State, on CheckOn) model.Level {
	switch {
	case on == OnAny:
		return st.Level
	case on == OnTuple || st.Failures.Recent > 0:
		return st.PortsLevel()
	case on == OnPlateau:
		settled, of, _ := plateau(st)
		return st.Thresholds.Level(settled, of)
	}
	return max(st.TCP.Pressure.PoolLevel, st.UDP.Pressure.PoolLevel)
}

// plateau is where the use of ports will level off, of how many, at the
// destination where that share is highest; of the pool, where that is the limit.
func plateau(st *model.State) (settled, of int, at *model.TupleUse) {
	p := &st.TCP.Pressure
	if p.PoolOnly || len(p.Tuples) == 0 {
		return p.InUse, p.Usable, nil
	}
	for i := range p.Tuples {
		t := &p.Tuples[i]
		if t.Pool != model.PoolRange && t.Level == model.LevelOK {
			continue // as the headline does
		}
		if n := t.Used + t.Free; at == nil || t.Outlook.Plateau*of > settled*n {
			settled, of, at = t.Outlook.Plateau, n, t
		}
	}
	if at == nil {
		return p.InUse, p.Usable, nil
	}
	return settled, of, at
}

// plateauShare is the same in percent.
func plateauShare(st *model.State) float64 {
	settled, of, _ := plateau(st)
	return model.Percent(settled, of)
}

// share is the figure by which namespaces of one level are compared.
func share(st *model.State, on CheckOn) float64 {
	switch on {
	case OnPool:
		return max(st.TCP.Pressure.PoolPercent(), st.UDP.Pressure.PoolPercent())
	case OnPlateau:
		return plateauShare(st)
	case OnAny:
		if p := st.NATPool(); p != nil {
			return p.Percent()
		}
	}
	h := st.TCP.Pressure.Headline()
	return h.Percent()
}

// Check writes the worst of some namespaces as one line of a monitoring plugin:
// status, text, and after | the performance data (Monitoring Plugins Development
// Guidelines). It gives the level that the status stands for.
//
//	EPHTOP WARNING - 63.8 % of 28,232 ports to 10.0.9.2:5432 used | tuple=63.8%;60;80;0;100 pool=49.7%;60;80;0;100 udp=0.8%;60;80;0;100 used=18006;;;0;28232 time_wait=9804;;;0;28232 failures=U
//
// tuple is the worst destination, pool and udp the share of the range that any
// TCP and UDP socket holds; used and time_wait are the ports of the worst
// destination; failures counts what failed for want of a port,
// and is U, not known, unless the kernel is traced. OnPlateau adds plateau, which
// may be more than all. OnAny adds snat, the fullest pool of translated ports, where
// there are any, or U where that may not be seen, and nat and nat_most, what the fullest
// of those that a NAT on the way has holds for certain and at most, where it is told of. Of several namespaces the text names the
// one that it and the figures are about, and says how many of those that were not
// looked at may be in trouble: that is no alarm.
func Check(w io.Writer, states []*model.State, unseen []source.Brief, on CheckOn) (model.Level, error) {
	st := slices.MaxFunc(states, func(a, b *model.State) int {
		return cmp.Or(cmp.Compare(CheckLevel(a, on), CheckLevel(b, on)), cmp.Compare(share(a, on), share(b, on)))
	})
	status := [...]string{"OK", "WARNING", "CRITICAL"}
	level := CheckLevel(st, on)
	words := checkWords(st, on)
	if on == OnAny {
		words += mostBy(st)
	}
	if f := &st.Failures; f.Count > 0 {
		words += ", " + advice.Wanting(f) + " failed" + advice.NoneLately(f)
	}
	if st.Snapshot.Settings.Assumed && st.Snapshot.Scope.Netns != 0 { // it may be narrowed, as those of containers are
		words += ", by an assumed range"
	}
	// | would begin the performance data.
	if name := strings.ReplaceAll(advice.Namespace(&st.Snapshot.Scope), "|", "/"); name != "" && (len(states) > 1 || on == OnAny) {
		words = name + ": " + words
	}
	if on != OnAny {
		words += unjudged(states, level)
	}
	unknown := 0
	for i := range unseen {
		if !st.Thresholds.Quiet(&unseen[i]) {
			unknown++
		}
	}
	if unknown > 0 {
		words += "; " + text.Plural(unknown, "namespace was", "namespaces were") + " not looked at"
	}
	_, err := fmt.Fprintf(w, "EPHTOP %s - %s | %s\n", status[min(level, model.LevelCritical)], words, performance(st, states, on))
	return level, err
}

// rounded is a share in percent as the text and the performance data have it:
// to a tenth, and 100 only where all is used.
func rounded(percent float64) string {
	return strconv.FormatFloat(shareTenth(percent), 'f', -1, 64)
}

// checkWords is about the worse of TCP and UDP.
func checkWords(st *model.State, on CheckOn) string {
	if on == OnAny && (st.Level > st.PortsLevel() || st.NATPool() != nil) {
		if words := beyondWords(st); words != "" {
			return words
		}
	}
	worse := &st.TCP.Pressure
	udp := &st.UDP.Pressure
	switch {
	case on == OnPlateau:
		return plateauWords(st)
	case on != OnPool && udp.Level > worse.Level, on == OnPool && udp.PoolLevel > worse.PoolLevel:
		worse = udp
	}
	if on == OnPool || worse.Headline().Scope == model.ScopePool {
		return poolWords(worse)
	}
	if h := worse.Headline(); h.Scope == model.ScopeBind {
		return bindWords(worse, &h)
	}
	t := worse.Worst()
	if i := slices.IndexFunc(worse.Tuples, func(t model.TupleUse) bool { return t.Level == worse.Level }); i > 0 {
		t = &worse.Tuples[i]
	}
	to, of := t.To()+advice.From(t.Limit), t.Limit.Of(worse.Usable)
	words := fmt.Sprintf("%s %% of %s to %s used", rounded(t.Percent()), text.Plural(of, "port", "ports"), to)
	if t.Level == model.LevelExhausted {
		words = fmt.Sprintf("no port of %s is free to %s", text.Count(of), to)
	}
	words += whenFull(st, &t.Outlook, t.Level)
	if t.SlowConnect() {
		words += ", connect() is slow"
	}
	return words
}

// whenFull says when no port will be left, "" where that is not in sight.
func whenFull(st *model.State, o *model.Outlook, level model.Level) string {
	left := o.Left()
	if left <= 0 {
		return ""
	}
	words := ", full in " + text.Duration(left)
	if level == model.LevelOK {
		words += fmt.Sprintf(" as it grows, yet below %g %%", st.Thresholds.Warning)
	}
	return words
}

// beyondWords are about what is worse than the ports of the namespace itself, "" where
// nothing says what that is.
func beyondWords(st *model.State) string {
	if st.NAT != nil && st.NAT.Level == st.Level {
		return natWords(st)
	}
	if p := st.Way; p != nil && p.Level == st.Level {
		return wayWords(p)
	}
	return limitWords(st)
}

// unjudged says what is worse than the figure that was asked for and has no part in the
// level, and how to have it judged.
func unjudged(states []*model.State, level model.Level) string {
	var worst *model.State
	for _, st := range states {
		if st.Level > max(level, st.PortsLevel()) && (worst == nil || st.Level > worst.Level) {
			worst = st
		}
	}
	if worst == nil {
		return ""
	}
	words := beyondWords(worst)
	if words == "" {
		return ""
	}
	return "; but " + words + ", see --on any"
}

// natWords are about translated ports, or the table that they are in.
func natWords(st *model.State) string {
	n, p := st.NAT, st.NATPool()
	if p == nil {
		return fmt.Sprintf("connection tracking is full: %s of %s entries", text.Count(n.NAT.Entries), text.Count(n.NAT.Max))
	}
	key := model.TupleKey{Destination: p.Remote, Port: p.RemotePort}
	to, kind := key.To(), "SNAT"
	if p.Proto == source.UDP {
		kind = "UDP SNAT"
	}
	if p.Level == model.LevelExhausted {
		return fmt.Sprintf("no %s port of %s is free on %s to %s", kind, text.Count(p.Capacity()), p.Address, to)
	}
	words := fmt.Sprintf("%s %% of %s of %s on %s to %s used", rounded(p.Percent()), text.Plural(p.Capacity(), "port", "ports"), kind, p.Address, to)
	return words + whenFull(st, &p.Outlook, p.Level)
}

// mostBy names the process of this host that holds most ports of the pool of translated
// ports that the level is about, if one does.
func mostBy(st *model.State) string {
	p := st.NATPool()
	if p == nil || len(p.Holders) == 0 {
		return ""
	}
	i := int(p.Holders[0].Process)
	if i < 0 || i >= len(st.Processes) {
		return ""
	}
	return ", most by " + strings.ReplaceAll(text.Sanitize(st.Processes[i].Name), "|", "/")
}

// plateauWords says where the use levels off.
func plateauWords(st *model.State) string {
	settled, of, at := plateau(st)
	if at == nil {
		return poolWords(&st.TCP.Pressure)
	}
	o, to := &at.Outlook, at.To()+advice.From(at.Limit)
	switch {
	case o.Trend == model.TrendFull && o.In == 0:
		return fmt.Sprintf("no port of %s is free to %s", text.Count(of), to)
	case o.Trend == model.TrendFull && settled > of:
		return fmt.Sprintf("%s to %s do not suffice for %s closes/s, which need %s %%", text.Plural(of, "port", "ports"), to,
			text.Count(int(o.CloseRate)), rounded(plateauShare(st)))
	case o.Trend == model.TrendFull:
		return fmt.Sprintf("%s to %s will be full in %s", text.Plural(of, "port", "ports"), to, text.Duration(o.In))
	}
	return fmt.Sprintf("levels off at %s %% of %s to %s", rounded(plateauShare(st)), text.Plural(of, "port", "ports"), to)
}

// bindWords are about the pool of an address on which callers bind.
func bindWords(p *model.Pressure, h *model.Headline) string {
	on := h.Key.Source.String()
	if h.Free == 0 {
		return fmt.Sprintf("no port of %s is free to bind() on %s", text.Count(p.Usable), on)
	}
	return fmt.Sprintf("%s %% of %s for bind() on %s used", rounded(h.Percent()), text.Plural(p.Usable, "port", "ports"), on)
}

func poolWords(p *model.Pressure) string {
	name := strings.ToUpper(p.Proto.String())
	if p.InUse >= p.Usable {
		words := fmt.Sprintf("no %s port of %s is free", name, text.Count(p.Usable))
		if p.Proto == source.UDP && p.OnlyIPv6 > 0 {
			words += fmt.Sprintf(" for IPv6, %s for IPv4", text.Count(p.Usable-p.InUse+p.OnlyIPv6))
		}
		return words
	}
	return fmt.Sprintf("%s %% of %s %s used", rounded(p.PoolPercent()), text.Count(p.Usable), name+" ports")
}

// performance writes label=value;warning;critical;minimum;maximum for each
// figure.
func performance(st *model.State, states []*model.State, on CheckOn) string {
	p := &st.TCP.Pressure
	h := p.Headline()
	share := func(label string, percent float64) string {
		return fmt.Sprintf("%s=%s%%;%g;%g;0;100", label, rounded(percent),
			st.Thresholds.Warning, st.Thresholds.Critical)
	}
	count := func(label string, n int) string { return fmt.Sprintf("%s=%d;;;0;%d", label, n, h.Limit.Of(p.Usable)) }
	failures := "failures=U"
	if st.Failures.Observed {
		failures = fmt.Sprintf("failures=%dc", st.Failures.Count)
	}
	figures := []string{
		share("tuple", h.Percent()), share("pool", p.PoolPercent()), share("udp", st.UDP.Pressure.PoolPercent()),
		count("used", h.Used()), count("time_wait", h.TimeWait), failures,
	}
	switch pool := fullestNAT(states); {
	case on != OnAny:
	case pool != nil:
		figures = append(figures, share("snat", pool.Percent()))
	case st.Moment != nil && slices.ContainsFunc(st.Moment.Limits, func(l source.Limit) bool { return l.Code == source.LimitNAT }):
		figures = append(figures, "snat=U")
	}
	if way := fullestOf(states); on == OnAny && way != nil {
		figures = append(figures, share("nat", model.Percent(way.Certain(), way.Ports)),
			fmt.Sprintf("nat_most=%s%%;%g;;0;100", rounded(way.Percent()), st.Thresholds.Warning))
	}
	if on == OnPlateau {
		figures = append(figures, strings.TrimSuffix(share("plateau", plateauShare(st)), "100"))
	}
	return strings.Join(figures, " ")
}

// fullestNAT is the fullest pool of translated ports of some namespaces, nil for none.
func fullestNAT(states []*model.State) (fullest *model.NATPoolUse) {
	for _, st := range states {
		if st.NAT == nil || len(st.NAT.Pools) == 0 {
			continue
		}
		if p := &st.NAT.Pools[0]; fullest == nil || p.Percent() > fullest.Percent() {
			fullest = p
		}
	}
	return fullest
}
