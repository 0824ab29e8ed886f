package command

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/ending"
	"ephtop/ui/report"
	"ephtop/ui/session"
)

// writeLine writes what one poll came to.
type writeLine func(io.Writer, *model.State, report.WatchOptions) error

func (a *app) watch() *cobra.Command {
	var chosen *format[writeLine]
	var p *polled
	cmd := &cobra.Command{
		Use:   "watch [flags]",
		Short: "Write one line a poll: for pipes, logs and other hosts",
		Long: `Polls until it is told to end (Ctrl+C, SIGTERM, SIGHUP, or nobody reads on) and
writes a line for each poll: the level, the destination that fails first, who
holds most of it, where its use goes, and the connects that failed. Of several
network namespaces it is about the worst, which it names. A poll that fails is
said on standard error, and left out. --filter changes nothing here.

With -o json a line is one object of less than 900 bytes.`,
		Example: `  ephtop watch --interval 5s >> ports.log
  ssh web-01 ephtop watch -o json | jq -r .level
  ephtop watch --demo no-pool --speed 8`,
		Annotations: map[string]string{polls: "yes"},
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.validatePolled(cmd, p); err != nil {
				return err
			}
			return a.writeLines(cmd.Context(), p, chosen.write)
		},
	}
	chosen = addOutput(cmd, []format[writeLine]{
		{"text", "for a person or a log", report.WatchText},
		{"json", "an object a line, for programs", report.WatchJSON},
	})
	p = a.addPolled(cmd, addSpeed)
	return cmd
}

func (a *app) writeLines(ctx context.Context, p *polled, write writeLine) (err error) {
	ctx, stop := ending.Told(ctx)
	defer stop()
	s, err := a.session(func(log *slog.Logger) (source.Source, error) { return a.openPolled(log, p, a.flags.interval) }, session.Options{Timeout: pollTimeout})
	if err != nil {
		return err
	}
	defer closing(s, &err)
	out := &unlessTold{leftOpen{a.Stdout}, ctx, nil}
	failing := &spell{out: a.Stderr}
	var l session.Look
	var first time.Time
	err = p.pacer(a.flags.interval, a.flags.share).Run(ctx, 0, func() error {
		if err := s.Look(ctx, &l); err != nil {
			return failing.over(ctx, fmt.Errorf("read the sockets: %w", err), !first.IsZero())
		}
		failing.say(nil)
		if first.IsZero() {
			first = l.Moment.Time
		}
		st := l.Overview.States[l.Overview.Focus]
		if err := write(out, st, report.WatchOptions{Version: moduleVersion(), Watched: max(0, l.Moment.Time.Sub(first))}); err != nil {
			return fmt.Errorf("write the watch: %w", err)
		}
		return nil
	})
	if gone(err) {
		return nil // who read has seen enough
	}
	return err
}
