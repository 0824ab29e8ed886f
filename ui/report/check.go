package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

// CheckOn says which figure a check is about.
type CheckOn uint8

// The figures of a check.
const (
	OnTuple CheckOn = iota // the worst destination
	OnPool                 // the whole range, whatever the destination
)

// CheckLevel is what a check comes to: the level of the headline as the
// dashboard shows it, or that of the pools. A connect that was seen to fail
// makes it exhausted either way.
func CheckLevel(st *model.State, on CheckOn) model.Level {
	if on == OnTuple || st.Failures.Recent > 0 {
		return st.Level
	}
	return max(st.TCP.Pressure.PoolLevel, st.UDP.Pressure.PoolLevel)
}

// Check writes the state as one line of a monitoring plugin: status, text, and
// after | the performance data (Monitoring Plugins Development Guidelines).
//
//	EPHTOP WARNING - 64 % of 28,232 ports to 10.0.9.2:5432 used | tuple=63.8%;60;80;0;100 pool=49.7%;60;80;0;100 udp=0.8%;60;80;0;100 used=18006;;;0;28232 time_wait=9804;;;0;28232 failures=U
//
// tuple is the worst destination, pool and udp the share of the range that any
// TCP and UDP socket holds; used and time_wait are the ports of the worst
// destination; failures counts the connects that failed for want of a port,
// and is U, not known, unless the kernel is traced.
func Check(w io.Writer, st *model.State, on CheckOn) error {
	status := [...]string{"OK", "WARNING", "CRITICAL"}
	level := CheckLevel(st, on)
	words := checkWords(st, on)
	if f := &st.Failures; f.Count > 0 {
		words += ", " + text.Plural(f.Count, "connect", "connects") + " failed"
	}
	_, err := fmt.Fprintf(w, "EPHTOP %s - %s | %s\n", status[min(level, model.LevelCritical)], words, performance(st))
	return err
}

// checkWords is about the worse of TCP and UDP.
func checkWords(st *model.State, on CheckOn) string {
	worse := &st.TCP.Pressure
	udp := &st.UDP.Pressure
	if on == OnTuple && udp.Level > worse.Level || on == OnPool && udp.PoolLevel > worse.PoolLevel {
		worse = udp
	}
	h := worse.Headline()
	if on == OnPool || h.Scope == model.ScopePool {
		return poolWords(worse)
	}
	to := source.AddrPort(h.Key.Destination, h.Key.Port)
	words := fmt.Sprintf("%s %% of %s to %s used", text.Percent(h.Percent()), text.Plural(worse.Usable, "port", "ports"), to)
	if h.Level == model.LevelExhausted {
		words = fmt.Sprintf("no port of %s is free to %s", text.Count(worse.Usable), to)
	}
	f := &st.Forecast
	switch {
	case f.Full > 0:
		words += ", full in " + text.Duration(f.Full)
	case h.Free > 0 && f.CloseRate > f.Sustainable:
		words += fmt.Sprintf(", will be full at %s closes/s", text.Count(int(f.CloseRate)))
	}
	if t := worse.Worst(); t.SlowConnect() {
		words += ", connect() is slow"
	}
	return words
}

func poolWords(p *model.Pressure) string {
	name := strings.ToUpper(p.Proto.String())
	if p.InUse >= p.Usable {
		return fmt.Sprintf("no %s port of %s is free", name, text.Count(p.Usable))
	}
	return fmt.Sprintf("%s %% of %s %s used", text.Percent(p.PoolPercent()), text.Count(p.Usable), name+" ports")
}

// performance writes label=value;warning;critical;minimum;maximum for each
// figure.
func performance(st *model.State) string {
	p := &st.TCP.Pressure
	h := p.Headline()
	share := func(label string, percent float64) string {
		return fmt.Sprintf("%s=%s%%;%g;%g;0;100", label, strconv.FormatFloat(tenth(percent), 'f', -1, 64),
			st.Thresholds.Warning, st.Thresholds.Critical)
	}
	count := func(label string, n int) string { return fmt.Sprintf("%s=%d;;;0;%d", label, n, p.Usable) }
	failures := "failures=U"
	if st.Failures.Observed {
		failures = fmt.Sprintf("failures=%dc", st.Failures.Count)
	}
	return strings.Join([]string{
		share("tuple", h.Percent()), share("pool", p.PoolPercent()), share("udp", st.UDP.Pressure.PoolPercent()),
		count("used", h.Used()), count("time_wait", h.TimeWait), failures,
	}, " ")
}
