// Package serve hands out a page of metrics: by HTTP, as every exporter does, and as
// a file for node_exporter's collector of text files.
//
// A [Server] answers GET and HEAD of /metrics, /-/healthy and a page that names
// them. TLS, users and headers are those of a web config
// (github.com/prometheus/exporter-toolkit). Whoever connects is bounded in time,
// bytes and number, so that a client that hangs costs a connection for a while and
// no more.
//
// It depends on client_golang and exporter-toolkit, and must not know what the
// page says.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/exporter-toolkit/web"

	"ephtop/source/guard"
)

// What one client may take.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 10 * time.Second
	idleTimeout    = 2 * time.Minute // scrapes are about as far apart
	maxHeaderBytes = 16 << 10
	// maxConnections is far more than who scrapes has, and few enough to leave
	// descriptors for the polls. Those that ask nothing give way to new ones.
	maxConnections = 128
	// drainTimeout is how long answers that have begun may take at the end.
	drainTimeout = 3 * time.Second
)

// Listen listens on all addresses, or on none.
func Listen(addresses []string) ([]net.Listener, error) {
	var all []net.Listener
	for _, address := range addresses {
		l, err := net.Listen("tcp", address)
		if err != nil {
			for _, l := range all {
				l.Close()
			}
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

// Server serves a page.
type Server struct {
	page    http.Handler
	config  *config
	log     *slog.Logger
	clients clients
}

// New makes a Server of what is gathered, with the web config of a file; "" for
// none.
func New(from prometheus.Gatherer, configFile string, log *slog.Logger) (*Server, error) {
	c, err := openConfig(configFile)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(from, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError,
	}))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ephtop is healthy.")
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, landing)
	})
	return &Server{page: mux, config: c, log: log}, nil
}

const landing = `<!DOCTYPE html>
<html lang="en"><title>ephtop</title>
<h1>ephtop</h1>
<p><a href="metrics">Metrics</a> of the ephemeral ports of this host.</p>
</html>
`

// TLS reports whether the web config has it.
func (s *Server) TLS() bool { return s.config.tls }

// Reload reads the web config again. Where that can't be, the one before stays in
// force, and the error says why.
func (s *Server) Reload() error { return s.config.reload() }

// Serve answers on the listeners, which it closes, until ctx ends; then it lets
// answers that have begun come to their end.
func (s *Server) Serve(ctx context.Context, listeners []net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error)
	for _, l := range listeners {
		// Each its own, since the toolkit puts its handler around a server's.
		go func() { ended <- guard.Do(func() error { return s.serve(ctx, l) }) }()
	}
	var errs []error
	for range listeners {
		errs = append(errs, <-ended)
		stop() // one that ends by itself ends all
	}
	return errors.Join(errs...)
}

func (s *Server) serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.page, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, ConnState: s.clients.bound, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		DisableGeneralOptionsHandler: true, // which asks for no password
	}
	drained := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(drained)
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		if server.Shutdown(patience) != nil {
			server.Close()
		}
	})
	path := s.config.path()
	err := web.Serve(l, server, &web.FlagConfig{WebConfigFile: &path}, s.log)
	if !stop() {
		<-drained
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve %s: %w", l.Addr(), err)
}
