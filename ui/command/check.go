package command

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/report"
	"ephtop/ui/session"
	"ephtop/ui/text"
)

// statusUnknown is that of a monitoring plugin which could not find out.
const statusUnknown = 3

// checkTimeout is how long a check may take: monitoring systems wait about
// that long themselves, and an answer of our own says more than theirs.
const checkTimeout = 10 * time.Second

// figures are the names of report.CheckOn.
var figures = []string{report.OnTuple: "tuple", report.OnPool: "pool", report.OnPlateau: "plateau", report.OnAny: "any"}

func (a *app) check() *cobra.Command {
	on := report.OnTuple
	var past *past
	cmd := &cobra.Command{
		Use:   "check [flags]",
		Short: "Check the ports once, in one line, for a monitoring system",
		Long: `Polls once and writes one line in the form of the monitoring plugins: the
status, what was seen, and after | the performance data. The exit status is 0
ok, 1 warning, 2 critical or exhausted, 3 unknown: whatever goes wrong, a wrong
flag too, is said in that line. --filter changes nothing here.

Performance data, each as label=value;warning;critical;minimum;maximum:
  tuple      share of the ports used to the worst destination, in percent
  pool, udp  share of the range that any TCP, any UDP socket holds, in percent
  used       ports used to the worst destination
  time_wait  those of them in TIME_WAIT
  failures   what failed for want of a port; U where nobody counts it

--on tuple takes the worse of the worst destination and the UDP pool, as the
dashboard does; --on pool takes the share of the range, TCP or UDP; --on plateau
takes what the use of a destination will level off at if connections go on
closing as now, as the figure plateau; --on any takes whatever is worst, ports
that this host translates (SNAT) among it, and adds snat, the share of the
fullest pool of them, U where that may not be seen. The others only say so if
such a pool is worse: their status does not follow it. Of several network
namespaces, it is the worst one that is judged, and named; how many may not be
looked at is said, and is no alarm. With --nat, any is judged if --on says
nothing else. The figure nat is the share of its ports that live, and nat_most
that with what it may have freed, which is worth a warning at most.

With --from, it judges the last moment of a recording, or the one of --at.`,
		Example: `  ephtop check
  ephtop check --warn 50 --critical 75
  ephtop check --on pool
  ephtop check --on any --netns all`,
		Annotations: map[string]string{polls: "yes"},
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.validatePast(cmd, past); err != nil {
				return err
			}
			st, all, err := a.look(cmd.Context(), past, checkTimeout)
			if err != nil {
				return err
			}
			states, unseen := []*model.State{st}, []source.Brief(nil)
			if a.flags.netns == session.AllNamespaces {
				states, unseen = all.States, all.Quiet
			}
			if a.flags.natPorts > 0 && !cmd.Flags().Changed("on") {
				on = report.OnAny
			}
			level, err := report.Check(a.Stdout, states, unseen, on)
			if err != nil {
				return fmt.Errorf("write the check: %w", err)
			}
			return exit(levelStatus(level))
		},
	}
	cmd.Flags().Var(choice("FIGURE", figures[0], figures, func(s string) {
		on = report.CheckOn(slices.Index(figures, s))
	}), "on", "what to judge: tuple, the worst destination; pool, the whole range; plateau, where it levels off; any, whatever is worst")
	past = a.addPast(cmd)
	offer(cmd, "on", cobra.FixedCompletions(figures, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// unknown says in a check's one line what went wrong.
func unknown(w io.Writer, err error) error {
	line := strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
	line = strings.ReplaceAll(text.Sanitize(line), "|", "/") // | would begin performance data
	_, err = fmt.Fprintf(w, "EPHTOP UNKNOWN - %s\n", line)
	return err
}

// isCheck tells whether a check was wanted, also where a wrong flag before its
// name kept it from being found.
func isCheck(cmd *cobra.Command, args []string) bool {
	if cmd.Name() == "check" {
		return true
	}
	i := slices.Index(args, "check")
	if cmd.HasParent() || i < 0 {
		return false
	}
	if i == 0 || !strings.HasPrefix(args[i-1], "--") || strings.Contains(args[i-1], "=") {
		return true
	}
	flag := cmd.PersistentFlags().Lookup(strings.TrimPrefix(args[i-1], "--"))
	return flag == nil || flag.NoOptDefVal != "" // "check" is not its value
}

// gone tells whether whoever read the output has gone, and needs no telling.
func gone(err error) bool { return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) }
