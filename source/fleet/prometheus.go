package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"ephtop/source/guard"
)

// Prometheus is a feed of what "ephtop serve" tells a Prometheus server: it asks
// at most three questions a refresh, however many hosts there are.
type Prometheus struct {
	base     *url.URL
	match    Selector
	interval time.Duration
	client   *http.Client

	known known
	// day is what the last day was, and until when that is good enough.
	day      []sample
	dayUntil time.Time
	dayErr   error
}

const (
	// answerTime is how long one answer may take.
	answerTime = 10 * time.Second
	// dayTime is how often the last day is asked for: it is the dearest question.
	dayTime = time.Minute
	// PrometheusPatience is how long a figure holds: Prometheus reads a host every
	// minute unless it is told otherwise.
	PrometheusPatience = 3 * time.Minute
)

// NewPrometheus makes a feed of the server at an address, which may hold name and
// password; neither is told to anybody else. A refresh comes every interval.
func NewPrometheus(address string, match Selector, interval time.Duration) (*Prometheus, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		// What was written may hold a password.
		return nil, errors.New("bad address: use that of Prometheus, as in http://prometheus:9090")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 1 << 16
	return &Prometheus{
		base: u, match: match, interval: interval,
		client: &http.Client{Transport: transport, Timeout: answerTime},
	}, nil
}

// Where names the server, without name and password.
func (p *Prometheus) Where() string {
	u := *p.base
	u.User = nil
	return "Prometheus at " + strings.TrimSuffix(u.String(), "/")
}

// Run implements [Feed].
func (p *Prometheus) Run(ctx context.Context, tell func(Report)) {
	defer p.client.CloseIdleConnections()
	for {
		began := time.Now()
		r := p.Refresh(ctx)
		if ctx.Err() != nil {
			return
		}
		tell(r)
		if !sleep(ctx, p.interval-time.Since(began)) {
			return
		}
	}
}

// sleep waits, and reports whether ctx lasted.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(max(0, d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Refresh asks once.
func (p *Prometheus) Refresh(ctx context.Context) Report {
	var now answers
	group, within := errgroup.WithContext(ctx)
	ask := func(ctx context.Context, to *[]sample, expr string) func() error {
		return func() error {
			return guard.Do(func() error { return p.query(ctx, expr, to) })
		}
	}
	group.Go(ask(within, &now.figures, figuresExpr(p.match)))
	group.Go(ask(within, &now.who, whoExpr(p.match)))
	var day []sample
	fresh := time.Now().Before(p.dayUntil)
	if !fresh {
		// What fails here fails no other.
		group.Go(func() error { p.dayErr = ask(ctx, &day, dayExpr(p.match))(); return nil })
	}
	if err := group.Wait(); err != nil {
		return Report{Fault: p.fault(err)}
	}
	if !fresh {
		p.dayUntil = time.Now().Add(dayTime)
		if p.dayErr == nil {
			p.day = day
		}
	}
	now.day = p.day
	r := Report{Hosts: now.hosts(&p.known, time.Now())}
	switch {
	case p.dayErr != nil:
		r.Lack = fmt.Errorf("%s: the last day is not known: %w", p.Where(), unwrapped(p.dayErr))
	case len(r.Hosts) == 0:
		r.Lack = fmt.Errorf("%s: it has no figures of ephtop serve, or none that --match picks", p.Where())
	}
	return r
}

func (p *Prometheus) fault(err error) error { return fmt.Errorf("%s: %w", p.Where(), unwrapped(err)) }

// unwrapped is an error without the address that package http puts before it, in
// which the name of a user stands.
func unwrapped(err error) error {
	var late interface{ Timeout() bool }
	if errors.As(err, &late) && late.Timeout() {
		return fmt.Errorf("no answer in %v", answerTime)
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	if errors.Is(err, io.EOF) {
		return errors.New("it hangs up")
	}
	return err
}

// query asks one question.
func (p *Prometheus) query(ctx context.Context, expr string, to *[]sample) error {
	u := p.base.JoinPath("api", "v1", "query")
	u.RawQuery = url.Values{"query": {expr}, "timeout": {answerTime.String()}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return refusal(answer.StatusCode, answer.Body)
	}
	return readVector(answer.Body, func(s *sample) { *to = append(*to, *s) })
}
