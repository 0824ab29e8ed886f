package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"ephtop/source"
	"ephtop/ui/ending"
	"ephtop/ui/session"
	"ephtop/ui/text"
)

// The spans of a flight recorder: with less there is nothing to see of how trouble
// began, and more does not fit into its memory.
const (
	ringLeast = 10 * time.Second
	ringMost  = 10 * time.Minute
)

// ringFor says what --ring accepts.
const ringFor = "a time from 10s to 10m"

// ringSpan is the value of --ring.
func ringSpan(span *time.Duration) *value {
	return &value{kind: "TIME", accepts: ringFor, parse: func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < ringLeast || d > ringMost {
			return fmt.Errorf("bad time %q: use %s, as in 2m", s, ringFor)
		}
		*span = d
		return nil
	}}
}

// recordTrouble keeps the last minutes in memory, and records trouble in a
// directory, until it is told to end.
func (a *app) recordTrouble(ctx context.Context, o recordOptions) (err error) {
	ctx, stop := ending.Told(ctx)
	defer stop()
	if o.path == stdStream || o.force {
		return usagef("--ring writes files of its own: name a directory, without --force")
	}
	flight, err := a.keepTrouble("--ring", o.path, o.ring)
	if err != nil {
		return err
	}
	defer closing(flight, &err)
	s, err := a.session(func(log *slog.Logger) (source.Source, error) { return a.openRecorded(log, o) }, session.Options{Timeout: pollTimeout})
	if err != nil {
		return err
	}
	defer closing(s, &err)
	fast := o.demo != "" && math.IsInf(o.speed, 1)
	w := troubleWatch{app: a, progress: a.recordProgress(o.path), failing: spell{out: a.Stderr}}
	defer w.progress.clear()
	var l session.Look
	err = o.pacer(a.flags.interval, a.flags.share).Run(ctx, 0, func() error {
		if err := s.Look(ctx, &l); err != nil {
			return w.failing.over(ctx, fmt.Errorf("read the sockets: %w", err), !w.first.IsZero())
		}
		flight.Add(&l.Moment, &l.Overview)
		if fast {
			flight.Settle(ctx)
		}
		w.say(&l, flight)
		if o.duration > 0 && l.Moment.Time.Sub(w.first) >= o.duration {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// troubleWatch says what a flight recorder does.
type troubleWatch struct {
	*app
	progress *progress
	failing  spell
	first    time.Time // of the first moment
	said     string    // the file that was told of last
}

func (w *troubleWatch) say(l *session.Look, flight *keptTrouble) {
	if w.first.IsZero() {
		w.first = l.Moment.Time
	}
	w.failing.say(nil)
	so := flight.Status()
	if so.Last != w.said && so.Last != "" {
		w.said = so.Last
		w.progress.clear()
		fmt.Fprintf(w.Stderr, "%s: trouble is recorded, %s so far\n", text.Sanitize(so.Last), text.Plural(so.Files, "file", "files"))
	}
	if so.Err != nil {
		w.progress.clear()
	}
	flight.say(so.Err)
	w.progress.say("waiting for trouble for %s; ctrl+c ends it", text.Duration(l.Moment.Time.Sub(w.first)))
}

// keptTrouble is a flight recorder whose errors are said once.
type keptTrouble struct {
	*session.Flight
	flag   string
	unkept spell
}

// keepTrouble makes a flight recorder that a flag asks for.
func (a *app) keepTrouble(flag, dir string, before time.Duration) (*keptTrouble, error) {
	flight, err := session.NewFlight(dir, before)
	if err != nil {
		return nil, usagef("%s: %w", flag, err)
	}
	return &keptTrouble{flight, flag, spell{out: a.Stderr}}, nil
}

// say says why something is not kept; nil says that all is.
func (k *keptTrouble) say(err error) {
	if err != nil {
		err = fmt.Errorf("%s: %w", k.flag, err)
	}
	k.unkept.say(err)
}

// Close fails where trouble is lost at the end. What was said already is not said
// again.
func (k *keptTrouble) Close() error {
	err := k.Flight.Close()
	if err == nil {
		return nil
	}
	k.say(err)
	return exit(statusFailed)
}
