package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ephtop/model"
	connections "ephtop/model/list"
	"ephtop/source"
	"ephtop/source/live"
	"ephtop/ui/report"
	"ephtop/ui/session"
	"ephtop/ui/theme"
)

// format is one of what a command can write, and how.
type format[F any] struct {
	name, summary string
	write         F
}

// addOutput adds the flag that chooses a format. What it gives is the first one
// until another is chosen.
func addOutput[F any](cmd *cobra.Command, formats []format[F]) *format[F] {
	chosen := formats[0]
	var names, completions []string
	for _, f := range formats {
		names = append(names, f.name)
		completions = append(completions, f.name+"\t"+f.summary)
	}
	cmd.Flags().VarP(choice("FORMAT", chosen.name, names, func(s string) { chosen = formats[slices.Index(names, s)] }),
		"output", "o", "what to write: "+list(names))
	offer(cmd, "output", cobra.FixedCompletions(completions, cobra.ShellCompDirectiveNoFileComp))
	return &chosen
}

// writeState writes what a moment means.
type writeState func(io.Writer, *model.State, report.Options) error

func (a *app) snapshot() *cobra.Command {
	var chosen *format[writeState]
	var past *past
	cmd := &cobra.Command{
		Use:   "snapshot [flags]",
		Short: "Write one look at the ports to standard output",
		Long: `Polls once and writes what was seen to standard output. Rates and forecasts need
a past, so they are for the dashboard. --filter limits the connections, and with
proto: the states and processes; the text lists connections only with a filter.

Of several network namespaces, all but the list of these is about the worst, or
about the one that --netns names.

With --from, it writes the last moment of a recording, or the one of --at, with
what the moments before tell. -o prometheus writes the metrics of serve, but for
its counters, which take more than one look.`,
		Example: `  ephtop snapshot
  ephtop snapshot --filter 'state:CLOSE_WAIT proc:java'
  ephtop snapshot -o json | jq '.tuples[0]'
  ephtop snapshot -o csv > ports.csv
  ephtop snapshot --from trouble.eph --at 12:04:31`,
		Annotations: map[string]string{polls: "yes"},
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.validatePast(cmd, past); err != nil {
				return err
			}
			return a.writeSnapshot(cmd.Context(), past, chosen.write)
		},
	}
	chosen = addOutput(cmd, []format[writeState]{
		{"text", "a page for a person or a ticket", report.Text},
		{"json", "everything, for programs", report.JSON},
		{"csv", "the connections, for spreadsheets", report.CSV},
		{"prometheus", "metrics, as serve has them", a.writeMetrics},
	})
	past = a.addPast(cmd)
	return cmd
}

func (a *app) writeSnapshot(ctx context.Context, p *past, write writeState) error {
	st, all, err := a.look(ctx, p, pollTimeout)
	if err != nil {
		return err
	}
	o, err := a.reportOptions(st)
	if err != nil {
		return err
	}
	o.Overview = all
	if err := write(a.Stdout, st, o); err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	return nil
}

// look polls once, for so long at most, or gives the moment of
// a past: that may come through a pipe for as long as it likes. The State is
// that which is to be spoken of.
func (a *app) look(ctx context.Context, p *past, timeout time.Duration) (st *model.State, all *model.Overview, err error) {
	if p.wanted() {
		w, err := a.lookAt(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		st, err := a.chosen(w.Seen())
		return st, &w.Seen().Overview, err
	}
	s, err := a.session(a.openUntraced, session.Options{Once: true, Timeout: timeout})
	if err != nil {
		return nil, nil, err
	}
	defer closing(s, &err)
	l := new(session.Look)
	if err := s.Look(ctx, l); err != nil {
		return nil, nil, fmt.Errorf("read the sockets: %w", err)
	}
	return l.State(), &l.Overview, nil
}

// session begins one on what open opens.
func (a *app) session(open func(*slog.Logger) (source.Source, error), o session.Options) (*session.Session, error) {
	log, err := a.openLog()
	if err != nil {
		return nil, err
	}
	src, err := open(log)
	if err != nil {
		return nil, err
	}
	o.Thresholds, o.NATPorts, o.Log = a.flags.thresholds, a.flags.natPorts, log
	return session.New(src, o), nil
}

// closing closes c. It is an error if there is none yet.
func closing(c io.Closer, err *error) {
	if closed := c.Close(); *err == nil {
		*err = closed
	}
}

func (a *app) openSource(log *slog.Logger) (source.Source, error) {
	return a.openLive(live.Options{Trace: a.flags.trace, Tracing: &a.tracing, Log: log})
}

// openOnce opens what is to show all that it can from the first poll on.
func (a *app) openOnce(log *slog.Logger) (source.Source, error) {
	return a.openLive(live.Options{Once: true, Trace: a.flags.trace, Log: log})
}

// openUntraced opens what is polled once: nothing is told before that.
func (a *app) openUntraced(log *slog.Logger) (source.Source, error) {
	return a.openLive(live.Options{Once: true, Trace: live.TraceOff, Log: log})
}

func (a *app) openLive(o live.Options) (source.Source, error) {
	o.Kind, o.Range, o.Netns, o.Focus = a.flags.source, a.flags.portRange, a.flags.netns, &a.focus
	o.Warn = a.flags.worthLooking()
	src, err := a.Open(o)
	if errors.Is(err, live.ErrUntraced) {
		return nil, usagef("--trace on: %w", err)
	}
	if named := a.flags.netns != session.AllNamespaces && a.flags.netns != session.OwnNamespace; err != nil && named {
		return nil, usagef("--netns: %w", err) // what else it may be, the error says
	}
	return src, err
}

// reportOptions chooses the connections that pass the filter, of both
// protocols unless it says otherwise, and the protocols of the counts: TCP
// unless it says otherwise.
func (a *app) reportOptions(st *model.State) (report.Options, error) {
	filter := &a.flags.filter
	chosen := connections.Selection{
		Filter: *filter, Order: connections.Order{Column: connections.ColumnProto}, TCP: true, UDP: true,
	}
	var l connections.List
	chosen.List(&l, st)
	o := report.Options{Filter: filter.String(), ASCII: a.flags.ascii}
	for _, r := range l.Rows {
		o.Rows = append(o.Rows, l.Socket(r))
	}
	if tcp, udp := filter.Protos(); filter.HasProto() && udp {
		o.Protocols = append(o.Protocols, source.UDP)
		if tcp {
			o.Protocols = []source.Proto{source.TCP, source.UDP}
		}
	}
	var err error
	o.Theme, err = a.theme()
	return o, err
}

// theme gives the theme for as many colours as standard output is to have.
func (a *app) theme() (theme.Theme, error) {
	name := a.flags.theme
	if name == theme.Names()[0] && theme.OnLight(a.Getenv) {
		name = "light"
	}
	return theme.ByName(name, theme.Profile(a.flags.color, a.Getenv, isTerminal(a.Stdout)))
}
