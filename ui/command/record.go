package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/recording"
	"ephtop/source/recording/anonymize"
	"ephtop/ui/text"
)

// failuresInARow is after how many polls that failed, one after the other, a
// recording ends.
const failuresInARow = 10

// recordOptions say what to record, and for how long.
type recordOptions struct {
	path             string
	duration         time.Duration // 0 for no end
	force, anonymize bool
	demo             string
	seed             uint64
}

func (a *app) record() *cobra.Command {
	var o recordOptions
	cmd := &cobra.Command{
		Use:   "record FILE [flags]",
		Short: "Record what is to be seen, without a screen",
		Long: `Polls until it is told to end (Ctrl+C, SIGTERM, SIGHUP or --duration) and
writes each moment to FILE as it comes, so that a recording is good up to where
it is cut. ephtop replay shows it, and snapshot, check and doctor look at a
moment of it with --from. FILE is for its owner only (mode 0600); - is standard
output. --filter changes nothing here: all is recorded.

--anonymize replaces addresses, and the names of hosts, users, processes and
their command lines. Ports, states, times and figures stay.

FILE holds JSON Lines under zstd: zstd -dc FILE | jq shows them.`,
		Example: `  ephtop record --duration 10m trouble.eph
  sudo ephtop record --trace --anonymize trouble.eph
  ssh host ephtop record - | ephtop replay -`,
		Annotations: map[string]string{polls: "yes"},
		Args: func(cmd *cobra.Command, args []string) error {
			return files(cmd, args, "the file to write, or - for standard output")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("seed") && o.demo == "" {
				return usagef("--seed is for a demo: use it with --demo")
			}
			if o.demo != "" {
				if err := a.refuseHostFlags(cmd, "a demo"); err != nil {
					return err
				}
			}
			o.path = args[0]
			return a.writeRecording(cmd.Context(), o)
		},
	}
	cmd.Flags().Var(&value{kind: "TIME", accepts: "a time from 1s", parse: func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < time.Second {
			return fmt.Errorf("bad time %q: use a time from 1s, as in 30s or 10m", s)
		}
		o.duration = d
		return nil
	}}, "duration", "end after this time, as in 10m")
	addForce(cmd, &o.force)
	cmd.Flags().BoolVar(&o.anonymize, "anonymize", false, "replace addresses and names")
	a.addTrace(cmd)
	addDemo(cmd, &o.demo, &o.seed)
	offer(cmd, "duration", cobra.FixedCompletions([]string{"1m", "10m", "1h"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func addForce(cmd *cobra.Command, force *bool) {
	cmd.Flags().BoolVar(force, "force", false, "replace a file that is there already")
}

// files checks that there is an argument for each of what is wanted.
func files(cmd *cobra.Command, args []string, want ...string) error {
	if len(args) < len(want) {
		return usagef("%s needs %s", cmd.CommandPath(), want[len(args)])
	}
	if len(args) > len(want) {
		return usagef("%q: %s takes no more than %s", args[len(want)], cmd.CommandPath(), text.Plural(len(want), "file", "files"))
	}
	for i, name := range args {
		if name == "" {
			return usagef(`bad file "": use %s`, want[i])
		}
	}
	return nil
}

// program names this program in a recording.
func program() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	return describe(info)
}

// createRecording makes the file that is written to, standard output for "-".
func (a *app) createRecording(path string, force bool) (io.Writer, func() error, error) {
	if path == stdStream {
		if isTerminal(a.Stdout) {
			return nil, nil, usagef("standard output is a terminal: use a file or a pipe")
		}
		return a.Stdout, func() error { return nil }, nil
	}
	if terminalFile(path) {
		return nil, nil, usagef("%s is a terminal: use a file or a pipe", path)
	}
	f, err := recording.Create(path, force)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, nil, usagef("%s is there already: use another name, or --force to replace it", path)
	case err != nil:
		return nil, nil, usagef("%w: use a file that can be written, or - for standard output", err)
	}
	return f, f.Close, nil
}

// terminalFile tells whether a path is that of a terminal.
func terminalFile(path string) bool {
	if info, err := os.Stat(path); err != nil || info.Mode()&fs.ModeCharDevice == 0 {
		return false
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return isTerminal(f)
}

// untilTold gives a context that ends with the signals that ask a program to
// end, and has writes to a closed pipe fail rather than kill.
func untilTold(ctx context.Context) (context.Context, context.CancelFunc) {
	asked := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup(1)
		asked = append(asked, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, asked...)
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	return ctx, func() {
		stop()
		signal.Stop(pipes)
	}
}

func (a *app) writeRecording(ctx context.Context, o recordOptions) error {
	ctx, stop := untilTold(ctx)
	defer stop()
	log, err := a.openLog()
	if err != nil {
		return err
	}
	r := recorder{interval: a.flags.interval, log: log}
	if o.anonymize {
		if r.anonymizer, err = anonymize.NewAnonymizer(); err != nil {
			return fmt.Errorf("make the recording anonymous: %w", err)
		}
	}
	file, closeFile, err := a.createRecording(o.path, o.force)
	if err != nil {
		return err
	}
	counted := &countingWriter{Writer: file}
	r.progress = a.recordProgress(o.path)
	err = a.recordTo(ctx, counted, o, &r)
	r.progress.clear()
	if closed := closeFile(); err == nil && closed != nil {
		err = fmt.Errorf("close the recording: %w", closed)
	}
	if r.moments > 0 && r.progress.out != nil {
		fmt.Fprintf(a.Stderr, "%s: %s in %s, %s\n", o.path, text.Plural(r.moments, "moment", "moments"),
			text.Duration(r.span), size(counted.n))
	}
	return err
}

// recordTo opens the source and records it.
func (a *app) recordTo(ctx context.Context, out io.Writer, o recordOptions, r *recorder) (err error) {
	var src source.Source
	if o.demo != "" {
		src, err = demo.New(demo.Options{Scenario: o.demo, Seed: o.seed, Start: demoStart(), Step: a.flags.interval})
	} else {
		src, err = a.openSource(r.log)
	}
	if err != nil {
		return err
	}
	if o.demo != "" {
		src = a.ranged(src)
	}
	r.source = src
	defer func() {
		if closed := src.Close(); err == nil && closed != nil {
			err = fmt.Errorf("close the source: %w", closed)
		}
	}()
	r.writer, err = recording.NewWriter(out, recording.Header{Program: program(), Anonymized: o.anonymize})
	if err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	err = r.run(ctx, o.duration)
	// What was recorded before a failed poll is whole all the same.
	if closed := r.writer.Close(); closed != nil && err == nil {
		err = fmt.Errorf("write the recording: %w", closed)
	}
	if err == nil && r.moments == 0 {
		return exitStatus(statusInterrupted)
	}
	return err
}

// recorder polls a source at an interval and writes the moments.
type recorder struct {
	source     source.Source
	writer     *recording.Writer
	anonymizer *anonymize.Anonymizer // nil for none
	interval   time.Duration
	log        *slog.Logger
	progress   *progress

	moment  source.Moment
	moments int
	span    time.Duration
	failed  int // polls in a row
	missed  int // polls
	last    error
}

// run records until the context ends, or for so long if that is not 0.
func (r *recorder) run(ctx context.Context, duration time.Duration) error {
	start := time.Now()
	for next := start; ; {
		switch err := r.poll(ctx); {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return r.verdict()
		}
		r.span = time.Since(start)
		r.progress.say("recording: %s in %s; ctrl+c ends it", text.Plural(r.moments, "moment", "moments"), text.Duration(r.span))
		if duration > 0 && !next.Before(start.Add(duration)) {
			return r.verdict()
		}
		next = next.Add(r.interval)
		// A poll that took longer than the interval is not made up for.
		if late := time.Now(); late.After(next.Add(r.interval)) {
			next = late
		}
		if duration > 0 && next.After(start.Add(duration)) {
			next = start.Add(duration)
		}
		select {
		case <-ctx.Done():
			return r.verdict()
		case <-time.After(time.Until(next)):
		}
	}
}

// poll records a moment. One that can't be polled is left out, unless it is
// the first one or one of many in a row.
func (r *recorder) poll(ctx context.Context) error {
	r.moment.Reset()
	if err := r.source.Poll(ctx, &r.moment); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		r.failed, r.missed, r.last = r.failed+1, r.missed+1, err
		r.log.Warn("poll", "error", err)
		if r.moments == 0 || r.failed == failuresInARow {
			return fmt.Errorf("read the sockets: %w", err)
		}
		return nil
	}
	r.failed = 0
	r.log.Debug("poll", "source", r.moment.Source, "took", r.moment.Took, "sockets", len(r.moment.Room))
	if r.anonymizer != nil {
		if err := r.anonymizer.Apply(&r.moment); err != nil {
			return fmt.Errorf("make the recording anonymous: %w", err)
		}
	}
	if err := r.writer.Write(&r.moment); err != nil {
		return err // says what it was about
	}
	r.moments++
	return nil
}

// verdict says whether all polls of a recording that has ended were good.
func (r *recorder) verdict() error {
	if r.missed == 0 {
		return nil
	}
	return fmt.Errorf("%s failed and left no moment, the last one: %w", text.Plural(r.missed, "poll", "polls"), r.last)
}

// recordProgress is for a person who looks on while a file is written. What
// goes to a pipe may be shown on the same terminal.
func (a *app) recordProgress(path string) *progress {
	if path == stdStream || !isTerminal(a.Stderr) {
		return &progress{}
	}
	return &progress{out: a.Stderr}
}

// countingWriter counts the bytes that were written.
type countingWriter struct {
	io.Writer
	n int64
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.n += int64(n)
	return n, err
}

// size writes a number of bytes as a person reads it.
func size(n int64) string {
	switch {
	case n < 1000:
		return text.Plural(int(n), "byte", "bytes")
	case n < 1000*1000:
		return fmt.Sprintf("%.1f KB", float64(n)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1000*1000))
}
