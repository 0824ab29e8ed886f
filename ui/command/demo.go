package command

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ephtop/source/demo"
	"ephtop/ui/dashboard"
	"ephtop/ui/text"
)

// The ends of --speed: of a demo and of a replay.
const (
	minSpeed = 0.25
	maxSpeed = 16
)

func scenarioNames() []string {
	var names []string
	for _, s := range demo.Scenarios() {
		names = append(names, s.Name)
	}
	return names
}

// scenarioList says what the scenarios are, in 80 columns.
func scenarioList() string {
	const width = 80
	indent := 0
	for _, name := range scenarioNames() {
		indent = max(indent, len("  ")+len(name)+len("  "))
	}
	var lines strings.Builder
	for _, s := range demo.Scenarios() {
		for i, line := range text.Wrap(s.Title, width-indent) {
			if i > 0 {
				s.Name = ""
			}
			fmt.Fprintf(&lines, "\n  %-*s%s", indent-2, s.Name, line)
		}
	}
	return lines.String()
}

// demoStart is when a demo begins: the same on any day, and at noon wherever
// the person who looks on is.
func demoStart() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local) }

func (a *app) demo() *cobra.Command {
	o := demo.Options{Scenario: demo.DefaultScenario, Start: demoStart()}
	scenario := choice("SCENARIO", o.Scenario, scenarioNames(), func(s string) { o.Scenario = s })
	speed := 1.0
	cmd := &cobra.Command{
		Use:   "demo [SCENARIO] [flags]",
		Short: "Show the dashboard on a simulated host",
		Long: `Opens the dashboard on a host that is simulated by the rules of Linux: nothing
of this one is read, and nothing is sent. It begins at 12:00:00, and the same
seed gives the same story. The scenarios are:
` + scenarioList() + `

snapshot, check, doctor and record run on it with --demo SCENARIO.`,
		Example: `  ephtop demo
  ephtop demo leak --speed 4
  ephtop doctor --demo no-pool --at 12:00:50`,
		Annotations: map[string]string{polls: "yes"},
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usagef("%q: ephtop demo takes one scenario only", args[1])
			case len(args) == 1 && cmd.Flags().Changed("scenario"):
				return usagef("%q and --scenario: use one of them", args[0])
			case len(args) == 1:
				if err := scenario.Set(args[0]); err != nil {
					return usagef("%w", err)
				}
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeScenario(cmd, args, typed)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.refuseHostFlags(cmd, "a demo"); err != nil {
				return err
			}
			return a.showOn(cmd.Context(), `"ephtop snapshot --demo SCENARIO"`, func(*slog.Logger) (dashboard.Config, error) {
				o.Step = scale(a.flags.interval, speed)
				host, err := demo.New(o)
				if err != nil {
					return dashboard.Config{}, err
				}
				return dashboard.Config{Source: a.ranged(host), Stepper: host, Speed: speed, Namespace: a.begun()}, nil
			})
		},
	}
	cmd.Flags().Var(scenario, "scenario", "the story to tell, as it can be named without the flag")
	addSeed(cmd, &o.Seed)
	addSpeed(cmd, &speed)
	offer(cmd, "scenario", completeScenario)
	return cmd
}

func completeScenario(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var found []string
	for _, s := range demo.Scenarios() {
		found = append(found, s.Name+"\t"+s.Title)
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

func addSeed(cmd *cobra.Command, seed *uint64) {
	cmd.Flags().Var(&value{text: "0", kind: "N", accepts: "a whole number from 0", parse: func(s string) error {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return fmt.Errorf("bad number %q: use a whole number from 0", s)
		}
		*seed = n
		return nil
	}}, "seed", "makes one run of a demo differ from another")
	offer(cmd, "seed", cobra.NoFileCompletions)
}

func addSpeed(cmd *cobra.Command, speed *float64) {
	const accepts = "a number from 0.25 to 16"
	cmd.Flags().Var(&value{text: "1", kind: "X", accepts: accepts, parse: func(s string) error {
		n, err := strconv.ParseFloat(strings.TrimSuffix(s, "x"), 64)
		if err != nil || !(n >= minSpeed && n <= maxSpeed) { // NaN is neither
			return fmt.Errorf("bad speed %q: use %s", s, accepts)
		}
		*speed = n
		return nil
	}}, "speed", "how many times as fast as time goes by, 0.25 to 16")
	offer(cmd, "speed", cobra.FixedCompletions([]string{"0.25", "0.5", "1", "2", "4", "8", "16"}, cobra.ShellCompDirectiveNoFileComp))
}

func scale(d time.Duration, by float64) time.Duration {
	return time.Duration(math.Round(float64(d) * by))
}
