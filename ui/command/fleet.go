package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	feeds "ephtop/source/fleet"
	"ephtop/source/recording"
	"ephtop/ui/dashboard"
	"ephtop/ui/fleet"
	"ephtop/ui/fleet/simulated"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// fleetFlags are those of the command.
type fleetFlags struct {
	hosts      string // a file
	prometheus string
	match      feeds.Selector
	demo       bool
	ssh        []string
	remote     string
}

// prometheusVariable holds what --prometheus is where it is not given: a command line,
// and a password in it, is everybody's to read.
const prometheusVariable = "EPHTOP_PROMETHEUS"

// The times from one refresh to the next where none is asked for.
const (
	prometheusInterval = 5 * time.Second
	simulatedInterval  = 2 * time.Second
)

func (a *app) fleet() *cobra.Command {
	var f fleetFlags
	cmd := &cobra.Command{
		Use:   "fleet [HOST…] [flags]",
		Short: "Show many hosts in one table, worst first",
		Long: `Shows how near many hosts are to having no port left: those that have none first,
then by level and by where their use settles. Hosts that do not answer say why,
and stay in the table. There are two ways to ask, and each host is opened over ssh:

  HOST…, --hosts FILE   ssh HOST ephtop watch -o json, one for each host: ssh must
                        come in without a password, and ephtop be there
  --prometheus URL      what ephtop serve has told a Prometheus server: for
                        thousands of hosts, and with the last 24 hours. A URL
                        with a password is better kept in EPHTOP_PROMETHEUS:
                        others can see a command line

Keys: enter opens the dashboard of a host (ssh HOST ephtop record -), esc goes
back, / filters by host, destination, holder or level, s sorts by the next column,
S reverses, ? help, q quit.`,
		Example: `  ephtop fleet web-01 web-02 root@db-01:2222
  ephtop fleet --hosts hosts.txt --remote-command 'sudo -n /opt/ephtop'
  ephtop fleet --prometheus http://prometheus:9090 --match 'job="ephtop",env="prod"'
  ephtop fleet --demo`,
		Annotations: map[string]string{polls: "yes"},
		Args:        cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.fleetConfig(cmd, args, &f)
			if err != nil {
				return err
			}
			return a.showFleet(cmd.Context(), c, f.instead())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().Var(&value{kind: "FILE", accepts: "a file with a host a line, or - for standard input", parse: func(s string) error {
		f.hosts = s
		return nil
	}}, "hosts", "follow the hosts of this file, one a line; what follows # is a remark, - is standard input")
	cmd.Flags().Var(&value{kind: "URL", accepts: "the address of Prometheus, as in http://prometheus:9090", parse: func(s string) error {
		_, err := feeds.NewPrometheus(s, "", time.Second)
		f.prometheus = s
		return err
	}}, "prometheus", "ask this Prometheus; name and password may stand in the URL, and are hidden from others in "+prometheusVariable)
	cmd.Flags().Var(&value{kind: "SELECTOR", accepts: `matchers of labels, as in job="ephtop"`, parse: func(s string) (err error) {
		f.match, err = feeds.ParseSelector(s)
		return err
	}}, "match", `of Prometheus, follow what these labels pick, as in 'job="ephtop",env="prod"'`)
	cmd.Flags().Var(&value{text: "ssh", kind: "COMMAND", accepts: "a command and its options, parted by blanks", parse: func(s string) error {
		if f.ssh = strings.Fields(s); len(f.ssh) == 0 {
			return errors.New(`bad command "": use ssh and its options, parted by blanks, as in 'ssh -F FILE'`)
		}
		return nil
	}}, "ssh", "use this command for ssh, with options parted by blanks")
	cmd.Flags().Var(&value{text: "ephtop", kind: "COMMAND", accepts: "what ephtop is called on the hosts", parse: func(s string) error {
		f.remote = s
		return nil
	}}, "remote-command", "what ephtop is called on the hosts, for a shell, as in 'sudo -n /opt/ephtop'")
	cmd.Flags().BoolVar(&f.demo, "demo", false, "follow a dozen simulated hosts")
	for _, name := range []string{"prometheus", "match", "ssh", "remote-command"} {
		offer(cmd, name, cobra.NoFileCompletions)
	}
	return cmd
}

// fleetConfig says who is asked, and how a host is opened.
func (a *app) fleetConfig(cmd *cobra.Command, args []string, f *fleetFlags) (fleet.Config, error) {
	if err := a.refuseHostFlags(cmd, "a fleet", "netns", "range", "filter"); err != nil {
		return fleet.Config{}, err
	}
	byName := len(args) > 0 || f.hosts != ""
	if given := a.Getenv(prometheusVariable); given != "" && f.prometheus == "" && !byName && !f.demo {
		if err := cmd.Flags().Lookup("prometheus").Value.Set(given); err != nil {
			return fleet.Config{}, usagef("%s: %w", prometheusVariable, err)
		}
	}
	switch {
	case f.demo && (byName || f.prometheus != ""), byName && f.prometheus != "":
		return fleet.Config{}, usagef("hosts by name, --prometheus and --demo: use one of them")
	case f.match != "" && f.prometheus == "":
		return fleet.Config{}, usagef("--match is for Prometheus: use it with --prometheus")
	case !f.demo && !byName && f.prometheus == "":
		return fleet.Config{}, usagef("no hosts: name them (ephtop fleet web-01 web-02), or use --hosts FILE or --prometheus URL; --demo has some")
	}
	asked := time.Duration(0)
	if cmd.Flags().Changed("interval") {
		asked = a.flags.interval
	}
	ssh := feeds.SSH{Command: f.ssh, Remote: f.remote}
	switch {
	case f.demo:
		return a.simulatedFleet(asked), nil
	case byName:
		return a.sshFleet(args, f, ssh, asked)
	}
	return a.prometheusFleet(f, ssh, asked)
}

// opening opens hosts over ssh; target gives the one of a name in the table.
func opening(ssh feeds.SSH, interval time.Duration, target func(string) (feeds.Target, error)) func(context.Context, string) (dashboard.Config, error) {
	return func(ctx context.Context, name string) (dashboard.Config, error) {
		t, err := target(name)
		if err != nil {
			return dashboard.Config{}, err
		}
		player, err := openRemote(ctx, ssh, t, interval)
		return dashboard.Config{Replay: player}, err
	}
}

// openRemote has a host recorded, until ctx ends or, once there is something to
// see, the recording is closed.
func openRemote(ctx context.Context, ssh feeds.SSH, t feeds.Target, interval time.Duration) (*recording.Player, error) {
	stream, err := ssh.Open(t, interval)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { stream.Close() })
	player, err := recording.NewLive(stream)
	if !stop() {
		if err == nil {
			player.Close()
		}
		return nil, ctx.Err()
	}
	if err == nil {
		return player, nil
	}
	if trouble := stream.Trouble(time.Second); trouble.Kind != feeds.NoTrouble {
		return nil, fmt.Errorf("%v", trouble)
	}
	return nil, fmt.Errorf("what comes from there is no recording: %w", err)
}

func (a *app) sshFleet(args []string, f *fleetFlags, ssh feeds.SSH, asked time.Duration) (fleet.Config, error) {
	var targets feeds.Targets
	for _, arg := range args {
		if err := targets.Add(arg); err != nil {
			return fleet.Config{}, usagef("%w", err)
		}
	}
	if err := a.readHosts(f.hosts, &targets); err != nil {
		return fleet.Config{}, usagef("--hosts: %w", err)
	}
	c := fleet.Config{
		Feed: &feeds.SSHFeed{SSH: ssh, Targets: targets.List, Interval: asked}, Where: "ssh", Patience: feeds.SSHPatience,
		Open: opening(ssh, asked, feeds.ParseTarget),
	}
	for _, t := range targets.List {
		c.Await = append(c.Await, t.String())
	}
	if n := len(targets.Twice); n > 0 {
		c.Notice = targets.Twice[0] + " is named twice, and followed once"
		if n > 1 {
			c.Notice = fmt.Sprintf("%s and %s more are named twice, and followed once", targets.Twice[0], text.Count(n-1))
		}
	}
	return c, nil
}

// readHosts reads the hosts of a file, if there is one.
func (a *app) readHosts(path string, targets *feeds.Targets) error {
	if path == "" {
		return nil
	}
	in, name := io.Reader(a.Stdin), "standard input"
	if path != stdStream {
		file, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("%w: use a file with a host a line, or - for standard input", err)
		}
		defer file.Close()
		in, name = file, path
	} else if isTerminal(a.Stdin) {
		return errors.New("standard input is a terminal: pipe hosts into it, one a line")
	}
	if err := targets.Read(in); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(targets.List) == 0 {
		return fmt.Errorf("%s: no host in it: one stands on a line", name)
	}
	return nil
}

func (a *app) prometheusFleet(f *fleetFlags, ssh feeds.SSH, asked time.Duration) (fleet.Config, error) {
	interval := asked
	if interval == 0 {
		interval = prometheusInterval
	}
	p, err := feeds.NewPrometheus(f.prometheus, f.match, interval)
	if err != nil {
		return fleet.Config{}, usagef("--prometheus: %w", err)
	}
	return fleet.Config{
		Feed: p, Where: p.Where(), Patience: feeds.PrometheusPatience, Day: true, Open: opening(ssh, asked, feeds.PrometheusTarget),
	}, nil
}

func (a *app) simulatedFleet(asked time.Duration) fleet.Config {
	interval := asked
	if interval == 0 {
		interval = simulatedInterval
	}
	feed := simulated.New(demoStart(), interval)
	return fleet.Config{
		Feed: feed, Where: "simulated", Await: simulated.Names(), Patience: time.Hour, Now: feed.Now,
		Open: func(_ context.Context, name string) (dashboard.Config, error) {
			host, err := feed.Open(name, a.flags.interval)
			if err != nil {
				return dashboard.Config{}, err
			}
			return dashboard.Config{Source: host, Stepper: host, Speed: 1}, nil
		},
	}
}

// instead is what tells of these hosts without a terminal.
func (f *fleetFlags) instead() string {
	switch {
	case f.demo:
		return `"ephtop watch --demo NAME"`
	case f.prometheus != "":
		return "the API of Prometheus (/api/v1/query?query=ephtop_level)"
	}
	return `"ssh HOST ephtop watch"`
}

// showFleet shows the table, where there is a terminal to show it on; instead says
// what does without.
func (a *app) showFleet(ctx context.Context, c fleet.Config, instead string) error {
	if err := a.wantTerminal(instead); err != nil {
		return err
	}
	colors, err := a.theme()
	if err != nil {
		return err
	}
	log, err := a.openLog()
	if err != nil {
		return err
	}
	c.Thresholds, c.Theme, c.ASCII = a.flags.thresholds, colors, a.flags.ascii
	c.Getenv, c.Log = a.Getenv, log
	c.Open = a.opensWith(c.Open, colors, log)
	return a.Fleet(ctx, c)
}

// opensWith adds to what is opened what the flags say.
func (a *app) opensWith(open func(context.Context, string) (dashboard.Config, error), colors theme.Theme, log *slog.Logger) func(context.Context, string) (dashboard.Config, error) {
	return func(ctx context.Context, name string) (dashboard.Config, error) {
		c, err := open(ctx, name)
		a.flagged(&c, colors, log)
		return c, err
	}
}
