package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/guard"
	"ephtop/ui/ending"
	"ephtop/ui/metrics"
	"ephtop/ui/report"
	"ephtop/ui/serve"
	"ephtop/ui/session"
	"ephtop/ui/text"
)

// What serve polls by: nobody waits for its polls, so that they may cost less than
// those of a screen, and the model needs a past that is not too coarse.
const (
	serveInterval    = 2 * time.Second
	serveMost        = 5 * time.Second
	serveShare       = 0.02
	defaultListen    = "127.0.0.1:10768"
	mostTop          = 100
	listenAddress    = "web.listen-address"
	webConfig        = "web.config.file"
	listenAddressFor = "an address and a port such as 127.0.0.1:10768, or :10768 for every address"
	textfileFor      = "a name that ends in .prom, for node_exporter reads no other"
)

// serveOptions say what is served, and how.
type serveOptions struct {
	*polled
	addresses []string
	config    string
	textfile  string
	keep      string // directory of recordings of trouble
	interval  time.Duration
	asked     bool // for the interval
	page      metrics.Options
}

func (a *app) serve() *cobra.Command {
	o := serveOptions{page: metrics.DefaultOptions}
	cmd := &cobra.Command{
		Use:   "serve [flags]",
		Short: "Serve metrics for Prometheus",
		Long: `Polls until it is told to end (Ctrl+C, SIGTERM) and serves what the last poll
saw at /metrics, in Prometheus's format; /-/healthy says that it lives. A scrape
polls nothing and waits for nothing. It polls every 2s if --interval says
nothing else; where polls take more than 2 % of the time less often, up to every
5s.

It listens on ` + defaultListen + `, to be reached from this host only, for the page
names destinations and processes. --web.listen-address says where else, and
--web.config.file names a file with TLS certificates and users, in the form that
all exporters know (web configuration of exporter-toolkit); SIGHUP has it read
again.

--textfile writes the page to a file, for node_exporter's collector of text
files, which reads names that end in .prom and no others. Then it listens only
where --web.listen-address is given.

What it can't see for want of rights, it says on standard error when it starts,
as snapshot does.

--keep DIR keeps the last 2m in memory and records them, with the minute that
follows, in a file of DIR when the level becomes critical or a connect fails: at
most one in 5m, 20 of them and 256 MB; the oldest go. ephtop replay shows them.

Destinations, processes and network namespaces have series where they hold 10 %
of the ports, at most 10 of each, and keep them for 10 minutes; --min-share and
--top say otherwise. --filter changes nothing here.`,
		Example: `  ephtop serve
  ephtop serve --web.listen-address :10768 --web.config.file web.yml
  ephtop serve --textfile /var/lib/prometheus/node-exporter/ephtop.prom
  curl -s http://` + defaultListen + `/metrics`,
		Annotations: map[string]string{polls: "yes"},
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.validateServe(cmd, &o); err != nil {
				return err
			}
			return a.serveMetrics(cmd.Context(), &o)
		},
	}
	a.addServe(cmd, &o)
	o.polled = a.addPolled(cmd, addSpeed)
	return cmd
}

func (a *app) addServe(cmd *cobra.Command, o *serveOptions) {
	cmd.Flags().Var(&value{text: defaultListen, kind: "ADDRESS", accepts: listenAddressFor, parse: func(s string) error {
		if err := checkAddress(s); err != nil {
			return err
		}
		o.addresses = append(o.addresses, s)
		return nil
	}}, listenAddress, "where to listen; can be given several times")
	file := func(what string, keep *string) *value {
		return &value{kind: "FILE", accepts: what, parse: func(s string) error {
			if s == "" || s == stdStream || what == textfileFor && filepath.Ext(s) != ".prom" {
				return fmt.Errorf("bad file %q: use %s", s, what)
			}
			*keep = s
			return nil
		}}
	}
	cmd.Flags().Var(file("a web config of exporters", &o.config), webConfig, "a web configuration, with TLS and users")
	cmd.Flags().Var(file(textfileFor, &o.textfile), "textfile", "write the page to this file too, for node_exporter")
	cmd.Flags().Var(&value{kind: "DIR", accepts: "a directory", parse: func(s string) error {
		if s == "" {
			return fmt.Errorf("bad directory %q: use one that is there", s)
		}
		o.keep = s
		return nil
	}}, "keep", "record trouble in this directory, from 2m before it")
	cmd.Flags().Var(&value{text: strconv.Itoa(o.page.Top), kind: "N", accepts: "a whole number from 1 to 100", parse: func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > mostTop {
			return fmt.Errorf("bad number %q: use a whole number from 1 to %d", s, mostTop)
		}
		o.page.Top = n
		return nil
	}}, "top", "most destinations, processes and namespaces that have series")
	cmd.Flags().Var(percent(&o.page.MinShare), "min-share", "share of the ports from which they have")
	cmd.Flags().BoolVar(&o.page.NoDestinations, "no-destinations", false, "do not say to whom this host connects")
	for _, name := range []string{listenAddress, "top", "min-share"} {
		offer(cmd, name, cobra.NoFileCompletions)
	}
}

// checkAddress checks an address to listen on, as far as its form goes.
func checkAddress(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || port == "" {
		return fmt.Errorf("bad address %q: use %s", s, listenAddressFor)
	}
	return nil
}

// validateServe checks what one flag alone cannot tell, and fills in the rest.
func (a *app) validateServe(cmd *cobra.Command, o *serveOptions) error {
	if err := a.validatePolled(cmd, o.polled); err != nil {
		return err
	}
	if o.interval = serveInterval; cmd.Flags().Changed("interval") {
		o.interval, o.asked = a.flags.interval, true
	}
	switch {
	case o.interval > serveMost:
		return usagef("--interval %v: what is served needs a past, so use 100ms to %v", o.interval, serveMost)
	case len(o.addresses) == 0 && o.textfile == "":
		o.addresses = []string{defaultListen}
	case len(o.addresses) == 0 && o.config != "":
		return usagef("--%s is for who listens: use it with --%s", webConfig, listenAddress)
	}
	o.page.Version, o.page.OneNetns = moduleVersion(), a.flags.netns != session.AllNamespaces
	return nil
}

// serveMetrics polls, and hands out what was seen, until it is told to end.
func (a *app) serveMetrics(ctx context.Context, o *serveOptions) (err error) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	ctx, stop := ending.Told(ctx, syscall.SIGHUP)
	defer stop()

	log, err := a.openLog()
	if err != nil {
		return err
	}
	collector := metrics.New(o.page)
	page, own := prometheus.NewRegistry(), prometheus.NewRegistry()
	page.MustRegister(collector)
	own.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	server, err := ending.Unless(ctx, 0, func() (*serve.Server, error) {
		return serve.New(prometheus.Gatherers{page, own}, o.config, log)
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	if err != nil {
		return usagef("--%s: %w", webConfig, err)
	}
	if o.textfile != "" {
		if err := serve.CheckTextfile(o.textfile); err != nil {
			return usagef("--textfile: %w: use another name", err)
		}
	}
	var flight *keptTrouble
	if o.keep != "" {
		if flight, err = a.keepTrouble("--keep", o.keep, session.FlightBefore); err != nil {
			return err
		}
		collector.Recorded(0, "")
		defer closing(flight, &err)
	}
	listeners, err := serve.Listen(o.addresses)
	if err != nil {
		return fmt.Errorf("%w: use another --%s", err, listenAddress)
	}
	for _, l := range listeners {
		fmt.Fprintf(a.Stderr, "ephtop: serving %s\n", pageURL(l, server.TLS()))
	}
	work, ctx := errgroup.WithContext(ctx)
	run := func(do func() error) { work.Go(func() error { return guard.Do(do) }) }
	run(func() error { return server.Serve(ctx, listeners) })
	run(func() error { a.reload(ctx, hangup, server); return nil })
	seen := make(chan struct{}, 1)
	if o.textfile != "" {
		fmt.Fprintf(a.Stderr, "ephtop: writing %s\n", text.Sanitize(o.textfile))
		failing := &spell{out: a.Stderr}
		run(func() error { serve.Textfile(ctx, o.textfile, page, seen, failing.say); return nil })
	}
	run(func() error { return a.pollFor(ctx, log, collector, flight, seen, o) })
	return work.Wait()
}

// pageURL is where the page of a listener is to be had.
func pageURL(l net.Listener, tls bool) string {
	if tls {
		return "https://" + l.Addr().String() + "/metrics"
	}
	return "http://" + l.Addr().String() + "/metrics"
}

// reload has the web config read again at each SIGHUP.
func (a *app) reload(ctx context.Context, hangup <-chan os.Signal, server *serve.Server) {
	for {
		select {
		case <-hangup:
			_, err := ending.Unless(ctx, 0, func() (struct{}, error) { return struct{}{}, server.Reload() })
			if err != nil && ctx.Err() == nil {
				complain(a.Stderr, err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// pollFor polls until ctx ends, and says in seen, which has room for one, that the
// page has changed. The first poll must succeed. flight may be nil.
func (a *app) pollFor(ctx context.Context, log *slog.Logger, c *metrics.Collector, flight *keptTrouble, seen chan<- struct{}, o *serveOptions) (err error) {
	src, err := a.openPolled(log, o.polled, o.interval)
	if err != nil {
		return err
	}
	s := session.New(src, session.Options{Thresholds: a.flags.thresholds, NATPorts: a.flags.natPorts, Timeout: pollTimeout, Log: log})
	defer closing(s, &err)
	share := serveShare
	if o.asked {
		share = a.flags.share
	}
	pacer := o.pacer(o.interval, share).AtMost(serveMost)
	failing := &spell{out: a.Stderr}
	limits := unseen{a.Stderr, make(map[source.LimitCode]bool)}
	var l session.Look
	looked := false
	return pacer.Run(ctx, 0, func() error {
		at := time.Now()
		defer func() { // a poll that fails too: it is counted
			select {
			case seen <- struct{}{}:
			default:
			}
		}()
		if err := s.Look(ctx, &l); err != nil {
			c.Failed()
			return failing.over(ctx, fmt.Errorf("read the sockets: %w", err), looked)
		}
		failing.say(nil)
		looked = true
		limits.say(a.untraced(l.Moment))
		every := pacer.Interval()
		if o.demo != "" {
			every = o.interval
		}
		if flight != nil {
			flight.Add(&l.Moment, &l.Overview)
			so := flight.Status()
			c.Recorded(so.Files, so.Last)
			flight.say(so.Err)
		}
		c.Observe(metrics.Poll{Overview: &l.Overview, About: l.Overview.States[l.Overview.Focus], At: at, Interval: every})
		return nil
	})
}

// writeMetrics writes the page of one look.
func (a *app) writeMetrics(w io.Writer, st *model.State, o report.Options) error {
	all := o.Overview
	if a.flags.netns != session.AllNamespaces {
		all = &model.Overview{Moment: st.Moment, Level: st.Level, States: []*model.State{st}, Findings: st.Findings}
		if st.NAT != nil {
			all.NATs = []model.NATState{*st.NAT}
		}
		if st.Way != nil {
			all.Ways = []model.WayPool{*st.Way}
		}
	}
	page := metrics.DefaultOptions
	page.Version = moduleVersion()
	return metrics.Once(w, page, metrics.Poll{Overview: all, About: st, At: st.Moment.Time})
}
