package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/evidence"
	"ephtop/source/guard"
	"ephtop/source/netns"
	"ephtop/source/probe"
	"ephtop/ui/advice"
	"ephtop/ui/ending"
	"ephtop/ui/report"
	"ephtop/ui/session"
	"ephtop/ui/text"
)

// The ends of --for: below there is no sample, and above nobody waits.
const (
	minSample = time.Second
	maxSample = 10 * time.Minute
)

// statusInterrupted is that of a shell for a command which SIGINT ended.
const statusInterrupted = 128 + int(syscall.SIGINT)

// writeDiagnosis writes what doctor has found.
type writeDiagnosis func(io.Writer, *report.Diagnosis, report.Options) error

func (a *app) doctor() *cobra.Command {
	var chosen *format[writeDiagnosis]
	length := 10 * time.Second
	var past *past
	ask := false
	cmd := &cobra.Command{
		Use:   "doctor [flags]",
		Short: "Go through the checklist, and say what would help",
		Long: `Watches the ports for a while and goes through the classic checklist: the
range, active connections, TIME_WAIT, the firewall, pooling, the system log, and
settings that were changed. Each point is ok, a warning, a problem or not known,
with the figure and the next step. Then come the findings, most urgent first,
each with what helps, by how much on this host, and at what risk, and as the
last the verdict: what is most urgent, and what to do first. Nothing is changed.

The exit status is 0, 1 or 2 by the worst point; what is not known is no alarm,
and 3 says that doctor could not look at all. Ctrl+C ends the watch early, with
what was seen so far. --interval is the time between two polls, and --filter
changes nothing here.

Of several network namespaces it speaks of the worst, or of the one that --netns
names, and lists what is wrong in the others.

With --probe (Linux 6.3 and later) it ends by asking connect() itself, once for
each port of the range, which of them are blocked for everyone, and nothing is
suspected then. For that it makes sockets in the namespace that it speaks of.

With --from, it looks at a recording: at its last moment or the one of --at, and
at the six minutes before. What takes the host itself (the firewall, the log,
changed settings) is not known then.`,
		Example: `  ephtop doctor
  sudo ephtop doctor --for 30s
  ephtop doctor --probe --for 1s
  ephtop doctor --from trouble.eph --at 12:04:31
  ephtop doctor -o json | jq '.points[] | select(.verdict != "ok")'`,
		Annotations: map[string]string{polls: "yes"},
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.validatePast(cmd, past); err != nil {
				return err
			}
			if ask && a.flags.portRange != nil {
				return usagef("--probe and --range: connect() knows the system's range only, so use one of them")
			}
			if past.wanted() {
				return a.diagnosePast(cmd.Context(), past, chosen.write)
			}
			return a.diagnose(cmd.Context(), length, ask, chosen.write)
		},
	}
	cmd.Flags().Var(&value{text: "10s", kind: "TIME", accepts: "a time from 1s to 10m", parse: func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < minSample || d > maxSample {
			return fmt.Errorf("bad time %q: use 1s to 10m, as in 10s or 2m", s)
		}
		length = d
		return nil
	}}, "for", "how long to watch, 1s to 10m")
	chosen = addOutput(cmd, []format[writeDiagnosis]{
		{"text", "a page for a person or a ticket", report.DoctorText},
		{"json", "everything, for programs", report.DoctorJSON},
	})
	cmd.Flags().BoolVar(&ask, "probe", false, "ask connect() of each port whether it is blocked for everyone (Linux 6.3)")
	a.addTrace(cmd)
	past = a.addPast(cmd)
	offer(cmd, "for", cobra.FixedCompletions([]string{"5s", "10s", "30s", "1m"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// diagnose watches, asks for the evidence meanwhile, and writes the diagnosis.
// With ask, connect() is asked at the end.
func (a *app) diagnose(ctx context.Context, length time.Duration, ask bool, write writeDiagnosis) error {
	ctx, stop := ending.Told(ctx)
	defer stop()
	o, err := a.plainOptions()
	if err != nil {
		return err
	}
	open := a.openOnce
	var prober *probe.Source
	if ask {
		if err := probe.Supported(); err != nil {
			return fmt.Errorf("--probe: %w", err)
		}
		open = func(log *slog.Logger) (source.Source, error) {
			src, err := a.openOnce(log)
			if err != nil {
				return nil, err
			}
			prober = probe.New(src, a.flags.netns)
			return prober, nil
		}
	}
	s, err := a.session(open, session.Options{})
	if err != nil {
		return err
	}
	w := s.Watch()
	var ev source.Evidence
	var of source.Scope
	err = guard.Do(func() (err error) { ev, of, err = a.observe(ctx, w, length); return err })
	if err == nil && prober != nil && w.Looks > 0 {
		prober.Ask(w.Seen().State().Snapshot.Scope)
		if err = w.Look(ctx); errors.Is(err, context.Canceled) {
			err = nil // what was seen so far
		}
	}
	if err == nil && w.Looks > 0 {
		if st := w.Seen().State(); !of.Same(&st.Snapshot.Scope) { // another one has become the worst
			err = guard.Do(func() error { ev = a.Gather(ctx, a.inquiry(st)); return nil })
		}
	}
	closing(s, &err)
	switch {
	case err != nil:
		return err
	case w.Looks == 0:
		return exitStatus(statusInterrupted)
	}
	return a.conclude(w, w.Seen().State(), ev, write, o)
}

// conclude writes the diagnosis of one namespace of what was watched.
func (a *app) conclude(w *session.Watch, st *model.State, ev source.Evidence, write writeDiagnosis, o report.Options) error {
	d := report.Diagnosis{
		State: st, Evidence: &ev, Sample: advice.Sample{Polls: w.Looks, Span: w.Last.Sub(w.First)},
	}
	o.Overview = &w.Seen().Overview
	if err := write(a.Stdout, &d, o); err != nil {
		return fmt.Errorf("write the diagnosis: %w", err)
	}
	return exit(verdictStatus(d.Verdict()))
}

// diagnosePast goes through the checklist of a moment that is past, as far as
// it is known without the host.
func (a *app) diagnosePast(ctx context.Context, p *past, write writeDiagnosis) error {
	o, err := a.plainOptions()
	if err != nil {
		return err
	}
	w, err := a.lookAt(ctx, p)
	if err != nil {
		return err
	}
	st, err := a.chosen(w.Seen())
	if err != nil {
		return err
	}
	return a.conclude(w, st, noEvidence(p, w.Last), write, o)
}

// inquiry is what the host is asked beside the sockets of a namespace.
func (a *app) inquiry(st *model.State) evidence.Options {
	return evidence.Options{
		Range: st.Snapshot.Settings.Range, Processes: st.MostSockets(), Into: netns.Into(&st.Snapshot.Scope, a.flags.netns),
	}
}

// observe polls for so long, or until the context ends. The evidence is asked
// for beside the polls, once the range is known, of the namespace that is the worst by then.
func (a *app) observe(ctx context.Context, w *session.Watch, length time.Duration) (ev source.Evidence, of source.Scope, err error) {
	asked := make(chan error, 1)
	progress := a.progress()
	err = session.NewPacer(a.flags.interval, 0).Run(ctx, length, func() error {
		if err := w.Look(ctx); err != nil {
			return fmt.Errorf("read the sockets: %w", err)
		}
		if w.Looks == 1 {
			st := w.Seen().State()
			ask := a.inquiry(st)
			of = st.Snapshot.Scope
			go func() { asked <- guard.Do(func() error { ev = a.Gather(ctx, ask); return nil }) }()
		}
		progress.say("watching the ports: %d of %d s, %s; ctrl+c ends it", int(w.Last.Sub(w.First).Seconds()+0.5), int(length.Seconds()+0.5),
			text.Plural(w.Looks, "poll", "polls"))
		return nil
	})
	if w.Looks > 0 {
		err = cmp.Or(err, <-asked)
	}
	progress.clear()
	return ev, of, err
}

// plainOptions are those of a report without connections.
func (a *app) plainOptions() (report.Options, error) {
	colors, err := a.theme()
	return report.Options{Theme: colors, ASCII: a.flags.ascii}, err
}

// progress is one line that says how far the work is.
type progress struct {
	out   io.Writer // nil where nobody would see it
	width int
}

// progress stands on standard error, and only where a person looks on: both
// streams must be terminals.
func (a *app) progress() *progress {
	if !isTerminal(a.Stdout) || !isTerminal(a.Stderr) {
		return &progress{}
	}
	return &progress{out: a.Stderr}
}

// say replaces the line.
func (p *progress) say(format string, args ...any) {
	if p.out == nil {
		return
	}
	line := fmt.Sprintf(format, args...)
	p.width = max(p.width, len(line))
	fmt.Fprintf(p.out, "\r%-*s", p.width, line)
}

func (p *progress) clear() {
	if p.out != nil && p.width > 0 {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", p.width))
	}
}
