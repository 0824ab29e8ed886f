package command

import (
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/source"
	"ephtop/source/live"
	"ephtop/ui/session"
	"ephtop/ui/theme"
)

// The ends of --interval. Below, the polls would be the load; above, the
// history of five minutes has nothing to show anyway.
const (
	minInterval = 100 * time.Millisecond
	maxInterval = time.Hour
)

var colorModes = []string{"auto", "always", "never"}

// flags are those that mean the same for every command.
type flags struct {
	interval   time.Duration
	share      float64 // of the interval, that a poll may take
	source     string
	filter     filter.Filter
	filterText string
	portRange  *source.PortRange
	thresholds model.Thresholds
	natPorts   int
	color      string
	ascii      bool
	theme      string
	log        string
	trace      string
	netns      string
}

func defaultFlags() flags {
	return flags{
		interval: time.Second, share: session.OwnShare, source: live.Auto, netns: session.AllNamespaces, trace: live.TraceAuto, color: colorModes[0],
		thresholds: model.DefaultThresholds, theme: theme.Names()[0],
	}
}

// value is a flag with a value that parse checks and keeps. Errors of parse
// say what was wrong and what is accepted.
type value struct {
	text, kind string
	accepts    string // what to write when the value is missing
	parse      func(string) error
}

// Set is for pflag.
func (v *value) Set(s string) error {
	if err := v.parse(s); err != nil {
		return err
	}
	v.text = s
	return nil
}

// String is for pflag: the value as it was written.
func (v *value) String() string { return v.text }

// Type is for pflag: it stands for the value in the help.
func (v *value) Type() string { return v.kind }

// choice is a flag that takes one of a few words, in capitals or not.
func choice(kind, initial string, words []string, keep func(string)) *value {
	accepts := list(words)
	return &value{text: initial, kind: kind, accepts: accepts, parse: func(s string) error {
		i := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, s) })
		if i < 0 {
			return fmt.Errorf("unknown %s %q: %s", strings.ToLower(kind), s, instead(s, words))
		}
		keep(words[i])
		return nil
	}}
}

// add defines the flags.
func (f *flags) add(set *pflag.FlagSet) {
	set.SortFlags = false
	set.Var(&value{text: "1s", kind: "TIME", accepts: "a time from 100ms to 1h", parse: f.parseInterval},
		"interval", "time from one poll to the next, 100ms to 1h")
	set.Var(&value{kind: "EXPR", accepts: "an expression such as state:TIME_WAIT", parse: f.parseFilter},
		"filter", "connections to show, as in 'state:TIME_WAIT,CLOSE_WAIT rport:443 !proc:nginx'")
	set.Var(choice("SOURCE", f.source, live.Kinds(), func(s string) { f.source = s }),
		"source", "where sockets are read: "+list(live.Kinds()))
	set.Var(&value{text: f.netns, kind: "WHICH", accepts: "all, self, a name, a pid or a path", parse: f.parseNetns},
		"netns", "network namespaces to look at: all, self, or one by name, pid or path")
	set.Var(&value{kind: "LOW-HIGH", accepts: "a range such as 32768-60999", parse: f.parseRange},
		"range", "take this range of ephemeral ports instead of the system's")
	set.Var(percent(&f.thresholds.Warning), "warn", "warn from this share of used ports")
	set.Var(percent(&f.thresholds.Critical), "critical", "critical from this share of used ports")
	set.Var(f.nat(), "nat", "ports that a NAT on the way has for each destination: shows how many this host holds (NAT gateway of AWS: 55000, of Azure: 64512)")
	color := choice("COLOUR MODE", f.color, colorModes, func(s string) { f.color = s })
	color.kind = "WHEN" // it reads as a sentence: --color WHEN
	set.Var(color, "color", "colours: "+list(colorModes))
	set.Var(choice("THEME", f.theme, theme.Names(), func(s string) { f.theme = s }), "theme", "colours by name: "+list(theme.Names()))
	set.BoolVar(&f.ascii, "ascii", false, "nothing but ASCII on the screen")
	set.Var(&value{kind: "FILE", accepts: "a file that can be written", parse: f.parseLog},
		"log", "append a debug log to this file")
}

func (f *flags) parseInterval(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < minInterval || d > maxInterval {
		return fmt.Errorf("bad time %q: use 100ms to 1h, as in 500ms or 2s", s)
	}
	f.interval, f.share = d, session.AskedShare
	return nil
}

func (f *flags) parseFilter(s string) error {
	parsed, err := filter.Parse(s)
	if err != nil {
		// The name of the flag says as much.
		return fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "filter: "))
	}
	f.filter, f.filterText = parsed, s
	return nil
}

func (f *flags) parseRange(s string) error {
	r, err := source.ParsePortRange(s)
	if err != nil {
		return err
	}
	f.portRange = &r
	return nil
}

// percent is a flag for a share above 0, up to 100. A percent sign may follow.
func percent(p *float64) *value {
	const accepts = "a number above 0, up to 100"
	initial := strconv.FormatFloat(*p, 'g', -1, 64)
	return &value{text: initial, kind: "PERCENT", accepts: accepts, parse: func(s string) error {
		n, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
		if err != nil || !(n > 0 && n <= 100) { // NaN is neither
			return fmt.Errorf("bad percentage %q: use %s", s, accepts)
		}
		*p = n
		return nil
	}}
}

// maxNATPorts is as many as a NAT with a hundred and more addresses has.
const maxNATPorts = 10_000_000

// natBudgets are what well-known ones have.
var natBudgets = []string{
	"55000\tAWS NAT gateway, for each of its addresses", "64512\tAzure NAT gateway, for each public IP", "64\tGoogle Cloud NAT, min-ports-per-vm",
}

// nat is the flag of the ports of a NAT on the way.
func (f *flags) nat() *value {
	const accepts = "a whole number from 1 to 10000000, as in 55000 for AWS NAT gateway"
	return &value{kind: "PORTS", accepts: accepts, parse: func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > maxNATPorts {
			return fmt.Errorf("bad number %q: use %s", s, accepts)
		}
		f.natPorts = n
		return nil
	}}
}

// worthLooking is the share of ports in use, in percent, from which on a namespace is
// in part worth a warning. What a NAT on the way has is shared by all of them, and
// may be far less than a range.
func (f *flags) worthLooking() float64 {
	if f.natPorts == 0 {
		return f.thresholds.Warning
	}
	const usual, part = 28_232, 25 // ports of a range, and of a budget what a namespace may hold unseen
	return min(f.thresholds.Warning, 100*float64(f.natPorts)/usual/part)
}

func (f *flags) parseLog(s string) error {
	if s == "" || s == "-" {
		return fmt.Errorf("bad file %q: use the name of a file, the log never goes to the screen", s)
	}
	f.log = s
	return nil
}

// validate checks what one flag alone cannot tell.
func (f *flags) validate() error {
	if w, c := f.thresholds.Warning, f.thresholds.Critical; w >= c {
		return usagef("--warn %g and --critical %g: the warning must come before the critical level", w, c)
	}
	return nil
}

// openLog opens the file of --log. Without one, what is logged is dropped.
func (a *app) openLog() (*slog.Logger, error) {
	if a.flags.log == "" {
		return slog.New(slog.DiscardHandler), nil
	}
	mode := os.O_WRONLY | os.O_APPEND | os.O_CREATE
	if runtime.GOOS != "windows" {
		mode |= syscall.O_NONBLOCK // a FIFO that nobody reads is no log
	}
	file, err := os.OpenFile(a.flags.log, mode, 0o600)
	if err != nil {
		return nil, usagef("--log: %w: use a file that can be written", err)
	}
	if isTerminal(file) {
		return nil, usagef("--log: %q is a terminal: use a file, the log never goes to the screen", a.flags.log)
	}
	a.log = file
	return slog.New(slog.NewTextHandler(&promptLog{file}, &slog.HandlerOptions{Level: slog.LevelDebug})), nil
}

// promptLog is a log that nothing waits for: what a pipe does not take is lost.
type promptLog struct{ *os.File }

func (l *promptLog) Write(p []byte) (int, error) {
	_ = l.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)) // a file has none, and needs none
	return l.File.Write(p)
}

func (a *app) closeLog() error {
	if a.log == nil {
		return nil
	}
	if err := a.log.Close(); err != nil {
		return fmt.Errorf("close the log: %w", err)
	}
	return nil
}
