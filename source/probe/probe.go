// Package probe asks connect() itself, port by port, which TCP ports are blocked
// for everyone: with a range of that one port (IP_LOCAL_PORT_RANGE, Linux 6.3)
// it tries to connect to a loopback port that nobody listens on. Refused, it had
// the port; EADDRNOTAVAIL, it had not, and no other connect() has. It needs no
// right, leaves no TIME_WAIT, and takes some microseconds a port. But it makes
// sockets, so it is done only where it is asked for.
package probe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ephtop/source"
)

// longest is how long all ports together may take.
const longest = 5 * time.Second

// Source is a source that asks connect() beside, where it is told to.
type Source struct {
	source.Source
	asked *source.Scope
	path  string
}

// New makes a Source of another. Path is a file of the namespace that will be
// asked for, "" where its scope is enough to find one.
func New(src source.Source, path string) *Source { return &Source{Source: src, path: path} }

// Ask has the next Poll ask connect() in a namespace.
func (s *Source) Ask(scope source.Scope) { s.asked = &scope }

// Abandon abandons the source behind.
func (s *Source) Abandon() error {
	if a, ok := s.Source.(source.Abandoner); ok {
		return a.Abandon()
	}
	return nil
}

// Poll polls the source behind. In the namespace that was asked for, what
// connect() says then stands in Blocked. Where the kernel's tables say otherwise,
// or nothing was found out, a limit says so.
func (s *Source) Poll(ctx context.Context, m *source.Moment) error {
	if err := s.Source.Poll(ctx, m); err != nil {
		return err
	}
	scope := s.asked
	s.asked = nil
	if scope == nil {
		return nil
	}
	at := slices.IndexFunc(m.Snapshots, func(sn source.Snapshot) bool { return sn.Scope.Same(scope) })
	if at < 0 {
		return nil
	}
	sn := &m.Snapshots[at]
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	blocked, err := Ports(ctx, &sn.Scope, s.path, &sn.Settings)
	switch {
	case err != nil:
		m.Limit(source.LimitNote, fmt.Sprintf("connect() could not be asked which ports are blocked: %v", err))
	case sn.BlockedKnown:
		if n := differ(blocked, sn.Blocked, &sn.Settings); n > 0 {
			m.Limit(source.LimitNote, fmt.Sprintf("connect() and the kernel's tables disagree on %d blocked ports: some may have changed meanwhile", n))
		}
	default:
		sn.Blocked, sn.BlockedKnown = blocked, true
	}
	return nil
}

// differ counts the usable ports that are in one list only.
func differ(a, b []uint16, set *source.Settings) (n int) {
	var in, usable source.PortSet
	usable.SetUsable(set)
	for _, port := range a {
		in.Add(port)
	}
	for _, port := range b {
		switch {
		case !usable.Has(port):
		case in.Has(port):
			in.Remove(port)
		default:
			n++
		}
	}
	return n + in.Len()
}
