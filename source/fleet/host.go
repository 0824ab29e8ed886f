package fleet

import (
	"strings"
	"time"

	"ephtop/source"
)

// Level says how bad it is: as model.Level, which found it.
type Level uint8

// The levels, in rising order.
const (
	LevelOK Level = iota
	LevelWarning
	LevelCritical
	LevelExhausted
)

var levels = [...]string{"ok", "warning", "critical", "exhausted"}

// String names the level as reports do.
func (l Level) String() string { return levels[min(l, LevelExhausted)] }

// Verdict is what becomes of the use, as the outlook of a report words it.
type Verdict string

// The verdicts.
const (
	VerdictFull      Verdict = "full"
	VerdictLevelsOff Verdict = "levels_off"
	VerdictDrains    Verdict = "drains"
	VerdictSteady    Verdict = "steady"
	VerdictUnknown   Verdict = "unknown"
)

// Summary is what a host comes to: the destination that fails first.
type Summary struct {
	Level Level
	// Destination and Port are the zero Addr and 0 where it is all of the range,
	// or is not told.
	Destination source.Addr
	Port        uint16
	UDP         bool // it is about the ports of UDP
	// Source is from where, where that is told.
	Source source.Addr
	// Used of the Usable ports can't be had there; TimeWait of them only wait.
	Used, Usable, TimeWait int
	// Plateau is where the use settles, or what it would take; 0 if not known.
	Plateau int
	Closes  float64 // a second
	// Verdict comes true in a while; 0 is now.
	Verdict Verdict
	In      time.Duration
	// Holder is who holds most of it, "" if not known. Likely says that this is a
	// guess of the host's.
	Holder string
	Likely bool
	// Failed is how many connects failed, as far as that is Observed: in the last
	// minutes, or in the day before where Day says so.
	Failed   int
	Observed bool
	// Exhausted is for how long no port was left in the day before, where Day.
	Exhausted time.Duration
	Day       bool
	// Namespace is the network namespace that it is about, "" where that is the
	// host's own.
	Namespace string
}

// Percent is the used share of the ports, from 0 to 100.
func (s *Summary) Percent() float64 { return share(s.Used, s.Usable) }

// PlateauPercent is the share that it settles at, or what it would take, which may
// be more than 100.
func (s *Summary) PlateauPercent() float64 { return share(s.Plateau, s.Usable) }

func share(n, of int) float64 {
	if of <= 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}

// Host is a host and what was last heard of it. It is not changed once it was
// told.
type Host struct {
	Name string
	Summary
	// Time is that of the summary, by the clock of who asked; zero for none yet.
	Time time.Time
	// Trouble is why there is nothing newer, if there is not.
	Trouble Trouble
}

// Trouble is why a host does not answer. The zero Trouble is none.
type Trouble struct {
	Kind   TroubleKind
	Detail string // in the words of who knows, bounded; "" for none
}

// TroubleKind says why a host does not answer.
type TroubleKind uint8

// The kinds of trouble.
const (
	NoTrouble TroubleKind = iota
	Unreachable
	Denied
	UnknownKey // of the host: nobody said that it is the right one
	NoEphtop
	TooOld // an ephtop that does not watch
	Silent // connected, and not a word
	Garbled
	Ended // what told of it, and nothing more is known
	Gone  // from the feed, that once had it
	Failed
)

var troubles = [...]string{
	"", "unreachable", "denied", "host key not trusted", "no ephtop", "ephtop too old", "no answer", "not understood", "ended", "gone", "failed",
}

// String names the kind.
func (k TroubleKind) String() string { return troubles[min(k, Failed)] }

// String says why the host does not answer, "" where it does.
func (t Trouble) String() string {
	if t.Detail == "" || t.Kind == NoTrouble {
		return t.Kind.String()
	}
	return t.Kind.String() + ": " + t.Detail
}

// longest is the most bytes that are kept of foreign words.
const longest = 200

// clip cuts foreign words, between two characters.
func clip(s string) string {
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "")
	}
	return s
}

// firstLine is the first line of s that says something.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return clip(strings.TrimSpace(line))
}
