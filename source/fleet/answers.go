package fleet

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The names of the metrics, as "ephtop serve" exports them, without the prefix.
const (
	metricLevel     = "level"
	metricUsable    = "usable_ports"
	metricUsed      = "worst_used_ports"
	metricTimeWait  = "worst_time_wait_ports"
	metricPlateau   = "worst_plateau_ports"
	metricCloses    = "worst_closes_per_second"
	metricIn        = "worst_exhaustion_seconds"
	metricPolled    = "last_poll_timestamp_seconds"
	metricTuple     = "tuple_used_ports"
	metricProcess   = "process_ports"
	metricBuild     = "build_info"
	metricLevelTime = "level_seconds_total"
	metricFailed    = "connect_failures_total"
)

const metricPrefix = "ephtop_"

// figuresExpr asks for what a host comes to, and for what tells how old that is.
func figuresExpr(match Selector) string {
	names := strings.Join([]string{metricLevel, metricUsable, metricUsed, metricTimeWait, metricPlateau, metricCloses, metricIn, metricPolled}, "|")
	return fmt.Sprintf(`{__name__=~"%s(%s)"%s} or %s`, metricPrefix, names, also(match), polledExpr(match))
}

// whoExpr asks towards where the ports are used, by whom most are held, and which
// hosts Prometheus can't read. The destination that fails first is the one with as
// many ports as that has.
func whoExpr(match Selector) string {
	series := func(name string) string { return metricPrefix + name + "{" + string(match) + "}" }
	return fmt.Sprintf("(%s == on(job,instance) group_left() max by(job,instance) (%s)) or topk by(job,instance) (1, %s) or "+
		"(up{%s} == 0 and on(job) group by(job) (last_over_time(%s[1h])))",
		series(metricTuple), series(metricUsed), series(metricProcess), match, series(metricBuild))
}

// dayExpr asks what was in the last day: the seconds without a port, which have the
// label of their level, and the connects that failed, which have not.
func dayExpr(match Selector) string {
	return fmt.Sprintf(`increase(%s%s{level="exhausted"%s}[1d]) or increase(%s%s{%s}[1d])`,
		metricPrefix, metricLevelTime, also(match), metricPrefix, metricFailed, match)
}

// also is a selector that follows other matchers.
func also(match Selector) string {
	if match == "" {
		return ""
	}
	return "," + string(match)
}

// answers are those to the three questions.
type answers struct{ figures, who, day []sample }

// hosts puts the answers together.
func (a *answers) hosts(known *known, now time.Time) []Host {
	found := make(map[target]*gathered)
	host := func(s *sample) *gathered {
		t := targetOf(s)
		if found[t] == nil {
			found[t] = &gathered{Host: Host{Summary: Summary{In: -1}}}
		}
		return found[t]
	}
	for i := range a.figures {
		host(&a.figures[i]).figure(&a.figures[i])
	}
	for i := range a.who {
		switch s := &a.who[i]; {
		case s.labels["__name__"] == "up":
			host(s).Trouble = Trouble{Unreachable, "Prometheus can't read it"}
		case found[targetOf(s)] != nil:
			found[targetOf(s)].whoIs(s)
		}
	}
	for i := range a.day {
		if h := found[targetOf(&a.day[i])]; h != nil {
			h.lastDay(&a.day[i])
		}
	}
	names := known.name(slices.Collect(maps.Keys(found)))
	hosts := make([]Host, 0, len(names))
	for t, name := range names {
		h := found[t]
		switch {
		case h == nil:
			h = &gathered{Host: Host{Trouble: Trouble{Gone, "Prometheus has no figures of it any more"}}}
		case h.had == hadAll:
			h.Time = now.Add(-known.polls.age(t, &h.polled))
			h.judge()
		default:
			// What it was when it had all of them says more.
			h.Summary = Summary{Verdict: VerdictUnknown}
			if h.Trouble.Kind == NoTrouble {
				h.Trouble = Trouble{Garbled, "Prometheus has not all of its figures"}
			}
		}
		h.Name = name
		hosts = append(hosts, h.Host)
	}
	return hosts
}

// gathered is what the answers tell of a host.
type gathered struct {
	Host
	polled polled
	had    had
}

// had are the figures that were told, of those without which nothing is known.
type had uint8

const (
	hadLevel had = 1 << iota
	hadUsable
	hadUsed
	hadPolled

	hadAll = hadLevel | hadUsable | hadUsed | hadPolled
)

// figure takes one of the figures of a host, if it is one: that a host is well is not
// concluded from what is no number.
func (h *gathered) figure(s *sample) {
	if h.polled.take(s) {
		return
	}
	n, ok := count(s.value)
	if !ok {
		return
	}
	switch strings.TrimPrefix(s.labels["__name__"], metricPrefix) {
	case metricLevel:
		h.Level = Level(min(n, int(LevelExhausted)))
		h.had |= hadLevel
	case metricUsable:
		h.Usable = n
		h.had |= hadUsable
	case metricUsed:
		h.Used = n
		h.had |= hadUsed
	case metricTimeWait:
		h.TimeWait = n
	case metricPlateau:
		h.Plateau = n
	case metricCloses:
		h.Closes = s.value
	case metricIn:
		h.In = seconds(s.value)
	case metricPolled:
		h.polled.poll, h.polled.asked = s.value, s.at
		h.had |= hadPolled
	}
}

// mostCount is far more than there can be of anything.
const mostCount = 1e12

// count is a figure as a number of things, if it is one.
func count(v float64) (int, bool) {
	if !(v >= 0) || math.IsInf(v, 1) {
		return 0, false
	}
	return int(math.Round(min(v, mostCount))), true
}

func (h *Host) whoIs(s *sample) {
	if name, ok := s.labels["process"]; ok {
		h.Holder = clip(name)
		return
	}
	port, err := strconv.ParseUint(s.labels["port"], 10, 16)
	if err != nil || h.Used == 0 {
		return
	}
	if to, at := endpoint(s.labels["destination"], uint16(port)); at != 0 {
		h.Destination, h.Port, h.Namespace = to, at, clip(s.labels["netns"])
	}
	if h.Namespace == ownNamespace {
		h.Namespace = ""
	}
}

func (h *Host) lastDay(s *sample) {
	n, ok := count(s.value)
	switch {
	case !ok:
		return
	case s.labels["level"] != "":
		h.Exhausted = seconds(s.value)
	default:
		h.Failed, h.Observed = n, true
	}
	h.Day = true
}

// judge says from the figures what the outlook was: a share that is about as large
// as where it settles is steady.
func (h *Host) judge() {
	h.TimeWait = min(h.TimeWait, h.Used)
	near := max(1, h.Usable/50)
	switch {
	case h.In >= 0:
		h.Verdict = VerdictFull
	case h.Plateau == 0:
		h.Verdict = VerdictUnknown
	case h.Plateau > h.Used+near:
		h.Verdict = VerdictLevelsOff
	case h.Plateau < h.Used-near:
		h.Verdict = VerdictDrains
	default:
		h.Verdict = VerdictSteady
	}
	h.In = max(0, h.In)
}
