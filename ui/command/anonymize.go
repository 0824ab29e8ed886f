package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ephtop/source"
	"ephtop/source/recording"
	"ephtop/source/recording/anonymize"
	"ephtop/ui/text"
)

func (a *app) anonymize() *cobra.Command {
	force := false
	cmd := &cobra.Command{
		Use:   "anonymize IN OUT [flags]",
		Short: "Copy a recording without saying who and where",
		Long: `Copies the recording IN to OUT, with addresses and the names of hosts, users,
processes and their command lines replaced: the same one by the same stand-in
throughout. Loopback, private and public addresses stay recognisable as such.
Ports, states, times and figures stay. What stands for what is drawn at random
and kept nowhere. - is standard input, and output.`,
		Example: `  ephtop anonymize trouble.eph public.eph`,
		Args: func(cmd *cobra.Command, args []string) error {
			return files(cmd, args, "a recording to read, or - for standard input", "a file to write, or - for standard output")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.copyAnonymous(cmd.Context(), args[0], args[1], force)
		},
	}
	addForce(cmd, &force)
	return cmd
}

func (a *app) copyAnonymous(ctx context.Context, in, out string, force bool) (err error) {
	ctx, stop := untilTold(ctx)
	defer stop()
	player, err := a.openRecording(in)
	if err != nil {
		return err
	}
	defer player.Close()
	anonymizer, err := anonymize.NewAnonymizer()
	if err != nil {
		return fmt.Errorf("make the recording anonymous: %w", err)
	}
	file, err := a.createRecording(out, force)
	if err != nil {
		return err
	}
	defer func() {
		if closed := file.Close(); err == nil && closed != nil {
			err = fmt.Errorf("close the recording: %w", closed)
		}
	}()
	header := player.Header()
	header.Anonymized = true
	w, err := recording.NewWriter(file, header)
	if err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	err = copyMoments(ctx, anonymize.Anonymize(player, anonymizer), w)
	switch {
	case errors.Is(err, recording.ErrCut):
		// The copy is cut where the original is.
		complain(a.Stderr, fmt.Errorf("%s was cut: the copy holds its %s", in, text.Plural(w.Moments(), "whole moment", "whole moments")))
		return nil
	case errors.Is(err, io.EOF), err == nil:
	default:
		return err
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("write the recording: %w", err)
	}
	return nil
}

// copyMoments copies until the end of src, whose error it gives, or of ctx.
func copyMoments(ctx context.Context, src source.Source, w *recording.Writer) error {
	var s source.Moment
	for {
		if err := src.Poll(ctx, &s); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if err := w.Write(&s); err != nil {
			return err // says what it was about
		}
	}
}
