package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ephtop/source"
	"ephtop/source/recording"
	"ephtop/source/recording/anonymize"
	"ephtop/ui/ending"
	"ephtop/ui/text"
)

func (a *app) anonymize() *cobra.Command {
	force := false
	var keep []string
	cmd := &cobra.Command{
		Use:   "anonymize IN OUT [flags]",
		Short: "Copy a recording without saying who and where",
		Long: `Copies the recording IN to OUT, with addresses and the names of hosts, users,
processes and their command lines replaced: the same one by the same stand-in
throughout. Loopback, private and public addresses stay recognisable as such.
Ports, states, times and figures stay. What stands for what is drawn at random
and kept nowhere. What was replaced and what was kept is said on standard error.
- is standard input, and output. OUT is there whole or not at all.`,
		Example: `  ephtop anonymize trouble.eph public.eph
  ephtop anonymize --keep-names nginx,java trouble.eph public.eph`,
		Args: func(cmd *cobra.Command, args []string) error {
			return files(cmd, args, "a recording to read, or - for standard input", "a file to write, or - for standard output")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.copyAnonymous(cmd.Context(), args[0], args[1], force, keep)
		},
	}
	addKeepNames(cmd, &keep)
	addForce(cmd, &force)
	return cmd
}

// addKeepNames adds the flag that names the processes which are called as they are.
func addKeepNames(cmd *cobra.Command, keep *[]string) {
	const accepts = "names of processes, as in nginx,java"
	cmd.Flags().Var(&value{kind: "NAMES", accepts: accepts, parse: func(s string) error {
		*keep = append(*keep, strings.Split(s, ",")...)
		if slices.Contains(*keep, "") {
			return fmt.Errorf("bad names %q: use %s", s, accepts)
		}
		return nil
	}}, "keep-names", "leave these processes their names, as in nginx,java")
	offer(cmd, "keep-names", cobra.NoFileCompletions)
}

func (a *app) copyAnonymous(ctx context.Context, in, out string, force bool, keep []string) (err error) {
	ctx, stop := ending.Told(ctx)
	defer stop()
	player, err := ending.Unless(ctx, 0, func() (*recording.Player, error) { return a.openRecording(in) })
	if err != nil {
		return err
	}
	defer player.Close()
	anonymizer, err := anonymize.NewAnonymizer()
	if err != nil {
		return fmt.Errorf("make the recording anonymous: %w", err)
	}
	anonymizer.Keep(keep)
	file, err := a.createRecording(ctx, out, force, recording.CreateWhole)
	if err != nil {
		return err
	}
	header := player.Header()
	header.Anonymized = true
	moments, err := copyMoments(ctx, anonymize.Anonymize(player, anonymizer), &unlessTold{file, ctx, nil}, header)
	if f, ok := file.(*recording.File); ok && err != nil && !early(err) {
		return errors.Join(err, f.Discard())
	}
	if closed := file.Close(); closed != nil {
		return fmt.Errorf("close the recording: %w", closed)
	}
	switch {
	case errors.Is(err, recording.ErrJoined):
		complain(a.Stderr, fmt.Errorf("%s: %w", in, err))
		err = nil
	case errors.Is(err, recording.ErrCut):
		// The copy is cut where the original is.
		complain(a.Stderr, fmt.Errorf("%s was cut: the copy holds its %s", in, text.Plural(moments, "whole moment", "whole moments")))
		err = nil
	}
	if err == nil {
		a.tellReplaced(anonymizer.Tally())
	}
	return err
}

// tellReplaced says what an anonymous copy does not hold any more, and what it
// holds.
func (a *app) tellReplaced(t anonymize.Tally) {
	var replaced []string
	for _, kind := range []struct {
		n         int
		one, many string
	}{
		{t.Hosts, "host", "hosts"}, {t.Addresses, "address", "addresses"},
		{t.Processes, "process name and its command lines", "process names and their command lines"}, {t.Users, "user", "users"},
		{t.Pods, "pod", "pods"}, {t.Containers, "container", "containers"}, {t.Units, "unit", "units"},
		{t.Namespaces, "other namespace", "other namespaces"},
	} {
		if kind.n > 0 {
			replaced = append(replaced, text.Plural(kind.n, kind.one, kind.many))
		}
	}
	kept := "root, addresses that are the same everywhere, ports, states, times, process ids, figures, settings"
	if len(t.Kept) > 0 {
		kept = "the process names " + strings.Join(t.Kept, ", ") + "; " + kept
	}
	fmt.Fprintf(a.Stderr, "replaced: %s\nkept: %s\n", cmp.Or(strings.Join(replaced, ", "), "nothing"), text.Sanitize(kept))
	if len(t.Unseen) > 0 {
		fmt.Fprintf(a.Stderr, "not there: no process is called %s\n", text.Sanitize(list(t.Unseen)))
	}
}

// copyMoments writes what src gives until its end, and says how many moments
// that were. What ends before is no copy: also where ctx ends it.
func copyMoments(ctx context.Context, src source.Source, file io.Writer, header recording.Header) (int, error) {
	w, err := recording.NewWriter(file, header)
	if err != nil {
		return 0, fmt.Errorf("write the recording: %w", err)
	}
	var s source.Moment
	for {
		switch err := src.Poll(ctx, &s); {
		case errors.Is(err, recording.ErrCut): // which is an end too
			return w.Moments(), err
		case errors.Is(err, io.EOF) && w.Moments() == 0:
			return 0, recording.ErrEmpty
		case errors.Is(err, io.EOF):
			if closed := w.Close(); closed != nil {
				return w.Moments(), fmt.Errorf("write the recording: %w", closed)
			}
			if errors.Is(err, recording.ErrJoined) { // the copy is not
				return w.Moments(), err
			}
			return w.Moments(), nil
		case ctx.Err() != nil:
			return w.Moments(), exitStatus(statusInterrupted)
		case err != nil:
			return w.Moments(), err
		}
		if err := w.Write(&s); err != nil {
			return w.Moments(), err // says what it was about
		}
	}
}
