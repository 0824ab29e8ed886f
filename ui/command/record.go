package command

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ephtop/source"
	"ephtop/source/guard"
	"ephtop/source/recording"
	"ephtop/source/recording/anonymize"
	"ephtop/ui/ending"
	"ephtop/ui/session"
	"ephtop/ui/text"
)

// failuresInARow is after how many polls that failed, one after the other, a
// recording ends.
const failuresInARow = 10

// recordOptions say what to record, and for how long.
type recordOptions struct {
	path             string
	duration         time.Duration // 0 for no end
	ring             time.Duration // of a flight recorder; 0 for none
	force, anonymize bool
	*polled
}

// fastDuration is how much is recorded of a demo that goes as fast as it can,
// if nothing is said.
const fastDuration = 3 * time.Minute

func (a *app) record() *cobra.Command {
	var o recordOptions
	cmd := &cobra.Command{
		Use:   "record FILE|DIR [flags]",
		Short: "Record what is to be seen, without a screen",
		Long: `Polls until it is told to end (Ctrl+C, SIGTERM, SIGHUP or --duration) and
writes each moment to FILE as it comes, so that a recording is good up to where
it is cut. ephtop replay shows it, and snapshot, check and doctor look at a
moment of it with --from. FILE is for its owner only (mode 0600); - is standard
output. --filter changes nothing here: all is recorded.

--anonymize replaces addresses, command lines, and the names of hosts, users,
processes, namespaces, containers and units. Ports, states, times and figures
stay.

--demo SCENARIO records a simulated host, with --speed faster than time goes by;
--interval and --duration are of the host's time. With --speed max it ends after
3m if nothing else is said. The same scenario and --seed give the same file.

--ring TIME is a flight recorder: so much of what was is kept in memory, and
nothing is written before the level becomes critical or a connect fails. Then it
is in a file in the directory DIR, with the minute that follows: one in five
minutes at most, and 20 files or 256 MB, of which the oldest go.

FILE holds JSON Lines under zstd: zstd -dc FILE | jq shows them.`,
		Example: `  ephtop record --duration 10m trouble.eph
  sudo ephtop record --anonymize trouble.eph
  ephtop record --ring 2m /var/lib/ephtop
  ephtop record --demo leak --speed max --duration 10m leak.eph
  ssh host ephtop record - | ephtop replay -`,
		Annotations: map[string]string{polls: "yes"},
		Args: func(cmd *cobra.Command, args []string) error {
			return files(cmd, args, "the file to write, or - for standard output")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.validatePolled(cmd, o.polled); err != nil {
				return err
			}
			if math.IsInf(o.speed, 1) && o.duration == 0 {
				o.duration = fastDuration
			}
			o.path = args[0]
			if o.ring > 0 {
				return a.recordTrouble(cmd.Context(), o)
			}
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
	cmd.Flags().Var(ringSpan(&o.ring), "ring", "record only trouble, in a directory, and this much before it")
	addForce(cmd, &o.force)
	cmd.Flags().BoolVar(&o.anonymize, "anonymize", false, "replace addresses and names")
	o.polled = a.addPolled(cmd, addRecordSpeed)
	offer(cmd, "ring", cobra.FixedCompletions([]string{"1m", "2m", "10m"}, cobra.ShellCompDirectiveNoFileComp))
	offer(cmd, "duration", cobra.FixedCompletions([]string{"1m", "10m", "1h"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func addRecordSpeed(cmd *cobra.Command, speed *float64) {
	const accepts = "a number from 0.25, or max"
	cmd.Flags().Var(&value{text: "1", kind: "X", accepts: accepts, parse: func(s string) error {
		if strings.EqualFold(s, "max") {
			*speed = math.Inf(1)
			return nil
		}
		n, err := strconv.ParseFloat(strings.TrimSuffix(s, "x"), 64)
		if err != nil || !(n >= minSpeed) { // NaN is not
			return fmt.Errorf("bad speed %q: use %s", s, accepts)
		}
		*speed = n
		return nil
	}}, "speed", "how many times as fast as time a demo is recorded, from 0.25, or max")
	offer(cmd, "speed", cobra.FixedCompletions([]string{"1", "8", "max"}, cobra.ShellCompDirectiveNoFileComp))
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

// createRecording makes the file that is written to, standard output for "-". A
// FIFO may wait for who reads it.
func (a *app) createRecording(ctx context.Context, path string, force bool, create func(string, bool) (*recording.File, error)) (io.WriteCloser, error) {
	if path == stdStream {
		if isTerminal(a.Stdout) {
			return nil, usagef("standard output is a terminal: use a file or a pipe")
		}
		return leftOpen{a.Stdout}, nil
	}
	if terminalFile(path) {
		return nil, usagef("%s is a terminal: use a file or a pipe", path)
	}
	f, err := ending.Unless(ctx, 0, func() (*recording.File, error) { return create(path, force) })
	switch {
	case errors.Is(err, context.Canceled):
		return nil, err
	case errors.Is(err, fs.ErrExist):
		return nil, usagef("%s is there already: use another name, or --force to replace it", path)
	case err != nil:
		return nil, usagef("%w: use a file that can be written, or - for standard output", err)
	}
	return f, nil
}

// leftOpen is standard output, which is not ours to close.
type leftOpen struct{ io.Writer }

func (leftOpen) Close() error { return nil }

// graceOfWrites is how long a write may take once the command was told to end.
const graceOfWrites = time.Second

// unlessTold writes to what may take nothing for ever, as a pipe that nobody
// reads, until the command is told to end.
type unlessTold struct {
	io.WriteCloser
	ctx   context.Context
	stuck error
}

func (w *unlessTold) Write(p []byte) (n int, err error) {
	if w.stuck != nil {
		return 0, w.stuck
	}
	p = bytes.Clone(p) // which is still read where the write is left
	n, err = ending.Unless(w.ctx, graceOfWrites, func() (int, error) { return w.WriteCloser.Write(p) })
	if errors.Is(err, context.Canceled) {
		w.stuck = err
	}
	return n, err
}

// Close closes what does not write any more.
func (w *unlessTold) Close() error {
	if w.stuck != nil {
		return nil
	}
	return w.WriteCloser.Close()
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

func (a *app) writeRecording(ctx context.Context, o recordOptions) error {
	ctx, stop := ending.Told(ctx)
	defer stop()
	file, err := a.createRecording(ctx, o.path, o.force, recording.Create)
	if err != nil {
		return err
	}
	s, err := a.session(func(log *slog.Logger) (source.Source, error) { return a.openRecorded(log, o) }, session.Options{})
	if err != nil {
		file.Close()
		return err
	}
	r, err := session.NewRecorder(o.path, &unlessTold{file, ctx, nil}, recording.Header{Program: program(), Anonymized: o.anonymize || o.demo != ""})
	if err != nil {
		return errors.Join(err, s.Close())
	}
	s.Record(r)
	tally := tally{progress: a.recordProgress(o.path)}
	pacer, length := o.pacer(a.flags.interval, a.flags.share), o.duration
	if o.demo != "" {
		// However slow the polls are, as much of the story is recorded.
		tally.step = a.flags.interval
		if length > 0 {
			tally.most, length = int(length/tally.step)+1, 0
		}
	}
	err = guard.Do(func() error { return tally.run(ctx, s, r, pacer, length) })
	closing(s, &err)
	// What was recorded before a failed poll is whole all the same.
	closing(r, &err)
	tally.progress.clear()
	so := r.Progress()
	err = cmp.Or(err, so.Err)
	if so.Moments > 0 && tally.progress.out != nil {
		fmt.Fprintf(a.Stderr, "%s: %s in %s, %s\n", text.Sanitize(o.path), text.Plural(so.Moments, "moment", "moments"),
			text.Duration(tally.span), size(so.Size))
	}
	if err == nil && so.Moments == 0 {
		return exitStatus(statusInterrupted)
	}
	return err
}

// openRecorded opens what is recorded.
func (a *app) openRecorded(log *slog.Logger, o recordOptions) (source.Source, error) {
	src, err := a.openPolled(log, o.polled, a.flags.interval)
	if err != nil || !o.anonymize {
		return src, err
	}
	anonymizer, err := anonymize.NewAnonymizer()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the recording anonymous: %w", err), src.Close())
	}
	return anonymize.Anonymize(src, anonymizer), nil
}

// tally counts the polls of a recording that failed.
type tally struct {
	progress *progress
	span     time.Duration
	step     time.Duration // of a source with a time of its own; 0 for a host
	most     int           // moments; 0 for no end
	said     time.Time
	failed   int // polls in a row
	missed   int // polls
	last     error
}

// run records until the context ends, or for so long if that is not 0.
func (t *tally) run(ctx context.Context, s *session.Session, r *session.Recorder, pacer *session.Pacer, length time.Duration) error {
	var m source.Moment
	start := time.Now()
	err := pacer.Run(ctx, length, func() error {
		err := s.Poll(ctx, &m)
		if err := t.count(ctx, err, r.Progress()); err != nil {
			return err
		}
		moments := r.Progress().Moments
		if t.span = time.Since(start); t.step > 0 {
			t.span = t.step * time.Duration(moments-1)
		}
		if time.Since(t.said) >= sayEvery {
			t.said = time.Now()
			slowed := ""
			if pacer.Slowed() {
				slowed = fmt.Sprintf(", every %s: %s", text.Duration(pacer.Interval()), text.Plural(len(m.Room), "socket", "sockets"))
			}
			t.progress.say("recording: %s in %s%s; ctrl+c ends it", text.Plural(moments, "moment", "moments"), text.Duration(t.span), slowed)
		}
		if moments == t.most {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return cmp.Or(err, t.verdict())
}

// sayEvery is the least time from one line of progress to the next.
const sayEvery = 100 * time.Millisecond

// errEnough says that a recording is as long as it was to be.
var errEnough = errors.New("all is recorded")

// count notes how a poll went. One that failed is left out, unless it is the
// first one or one of many in a row.
func (t *tally) count(ctx context.Context, err error, so session.Progress) error {
	switch {
	case err == nil:
		t.failed = 0
		return so.Err // which says what it was about
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, anonymize.ErrTooMany):
		return fmt.Errorf("make the recording anonymous: %w", err)
	}
	t.failed, t.missed, t.last = t.failed+1, t.missed+1, err
	if so.Moments == 0 || t.failed == failuresInARow {
		return fmt.Errorf("read the sockets: %w", err)
	}
	return nil
}

// verdict says whether all polls of a recording that has ended were good.
func (t *tally) verdict() error {
	if t.missed == 0 {
		return nil
	}
	return fmt.Errorf("%s failed and left no moment, the last one: %w", text.Plural(t.missed, "poll", "polls"), t.last)
}

// recordProgress is for a person who looks on while a file is written. What
// goes to a pipe may be shown on the same terminal.
func (a *app) recordProgress(path string) *progress {
	if path == stdStream || !isTerminal(a.Stderr) {
		return &progress{}
	}
	return &progress{out: a.Stderr}
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
