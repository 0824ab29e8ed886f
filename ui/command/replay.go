package command

import (
	"log/slog"

	"github.com/spf13/cobra"

	"ephtop/ui/dashboard"
)

func (a *app) replay() *cobra.Command {
	speed := 1.0
	cmd := &cobra.Command{
		Use:   "replay FILE [flags]",
		Short: "Show the dashboard on a recording",
		Long: `Shows a recording just as it was live. FILE - is standard input: a recording
that comes through a pipe is shown as it comes, so that

  ssh host ephtop record - | ephtop replay -

is a live dashboard of another host. A file has a time line: left and right seek
a second, with shift ten, home and end go to the ends, [ and ] to where the
level changed, < and > change the speed, space stops and goes on.`,
		Example: `  ephtop replay trouble.eph
  ephtop replay --speed 4 trouble.eph
  ssh host ephtop record - | ephtop replay -`,
		Annotations: map[string]string{polls: "yes"},
		Args: func(cmd *cobra.Command, args []string) error {
			return files(cmd, args, "a recording, or - for standard input")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.refuseHostFlags(cmd, "a recording"); err != nil {
				return err
			}
			if a.flags.portRange != nil {
				return usagef("--range is not for replay, which shows what the live run showed: leave it out")
			}
			return a.showOn(cmd.Context(), `"ephtop snapshot --from FILE"`, func(*slog.Logger) (dashboard.Config, error) {
				player, err := a.openRecording(args[0])
				if err != nil {
					return dashboard.Config{}, err
				}
				return dashboard.Config{Replay: player, Speed: speed, Namespace: a.begun()}, nil
			})
		},
	}
	addSpeed(cmd, &speed)
	return cmd
}
