package sockdiag

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"ephtop/source"
	"ephtop/source/netlink"
)

// transport is a netlink.Conn, or what stands in for one in tests.
type transport interface {
	Send(b []byte) error
	Receive(ctx context.Context, b []byte) (int, error)
	Close() error
}

// Dumper lists sockets. It is not safe for concurrent use.
type Dumper struct {
	// NoBound leaves out TCP sockets that are bound and not connected, for which
	// the kernel has to search another table.
	NoBound bool
	// Ration is of the rows that are kept, nil for all. Settings are those of the
	// namespace that is dumped; they are for the Ration alone.
	Ration   *source.Ration
	Settings *source.Settings

	rest source.Counter // of the last dump
	most int            // rows of a dump
	dial func() (transport, error)
	conn transport // nil after a failure: dialled again by the next dump
	seq  uint32
	buf  []byte
	out  []byte
}

// Report says how a dump went.
type Report struct {
	// Retries counts the dumps that were taken again.
	Retries int
	// Interrupted says that the kernel called even the last try inconsistent:
	// single sockets may be missing or there twice.
	Interrupted bool
	// NoUDP says that the kernel cannot list UDP sockets (no udp_diag).
	NoUDP bool
}

func newDumper(dial func() (transport, error)) (*Dumper, error) {
	d := &Dumper{dial: dial, buf: make([]byte, netlink.BufferSize)}
	return d, d.connect()
}

// connect opens the netlink socket if it is not open.
func (d *Dumper) connect() (err error) {
	if d.conn != nil {
		return nil
	}
	if d.conn, err = d.dial(); err != nil {
		return fmt.Errorf("open netlink socket: %w", err)
	}
	return nil
}

// Close closes the netlink socket.
func (d *Dumper) Close() error {
	if d.conn == nil {
		return nil
	}
	err := d.conn.Close()
	d.conn = nil
	return err
}

// Dump appends every TCP and UDP socket of the namespace to dst. Errors of the
// kernel match syscall.Errno, replies that make no sense match netlink.ErrMalformed.
// After an error the next Dump starts on a new netlink socket.
func (d *Dumper) Dump(ctx context.Context, dst []source.Socket) ([]source.Socket, Report, error) {
	var report Report
	if cap(dst) == 0 {
		dst = make([]source.Socket, 0, d.most/16*17) // to grow by and by leaves garbage
	}
	begin := len(dst)
	defer func() { d.most = max(d.most, len(dst)-begin) }()
	for _, r := range requests {
		var err error
		dst, err = d.dumpRequest(ctx, dst, r, &report)
		if r.proto == source.UDP && errors.Is(err, syscall.ENOENT) {
			report.NoUDP = true
			continue
		}
		if err != nil {
			return dst, report, fmt.Errorf("dump %s sockets: %w", r.proto, err)
		}
	}
	return dst, report, nil
}

// dumpRequest takes one dump, again where it was interrupted or cut.
func (d *Dumper) dumpRequest(ctx context.Context, dst []source.Socket, r request, report *Report) ([]source.Socket, error) {
	start := len(dst)
	for try := 0; ; try++ {
		rows, interrupted, err := d.dumpOnce(ctx, dst[:start], r)
		if err != nil {
			d.Close()
		}
		dst = rows
		switch {
		case err != nil && (!isTransient(err) || try == maxRedials):
			return dst[:start], err
		case err == nil && !interrupted:
			return dst, nil
		case err == nil && try == maxRedials:
			report.Interrupted = true
			return dst, nil
		}
		report.Retries++
	}
}

// Stamps asks whether both ends of a live TCP connection send timestamps, and
// notes it in the socket. One that has gone meanwhile is left as it is.
func (d *Dumper) Stamps(ctx context.Context, s *source.Socket) error {
	if err := d.connect(); err != nil {
		return err
	}
	d.seq++
	d.out = appendExact(d.out[:0], d.seq, s)
	if err := d.conn.Send(d.out); err != nil {
		return fmt.Errorf("send request: %w", err)
	}
	for {
		n, err := d.conn.Receive(ctx, d.buf)
		if err != nil {
			d.Close()
			return fmt.Errorf("receive: %w", err)
		}
		rows, _, err := decode(nil, d.buf[:n], source.TCP, d.seq)
		switch {
		case errors.Is(err, syscall.ENOENT):
			return nil
		case err != nil:
			return fmt.Errorf("ask for one TCP socket: %w", err)
		case len(rows) > 0:
			s.Stamps = rows[0].Stamps
			return nil
		}
	}
}

// Rest hands out in s what the last dump has no rows for.
func (d *Dumper) Rest(s *source.Snapshot) {
	if d.Ration != nil {
		d.rest.Give(s)
	}
}

// isTransient tells whether a new try can go better: the receive buffer ran
// over, a signal came in between, or another dump was still under way.
func isTransient(err error) bool {
	return errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.EBUSY)
}

func (d *Dumper) dumpOnce(ctx context.Context, dst []source.Socket, r request) ([]source.Socket, bool, error) {
	if err := d.connect(); err != nil {
		return dst, false, err
	}
	d.seq++
	states := uint32(allStates)
	if d.NoBound {
		states &^= boundInactive
	}
	if d.Ration != nil && r.proto == source.TCP {
		d.rest.Begin(d.Settings)
	}
	d.out = r.append(d.out[:0], d.seq, states)
	if err := d.conn.Send(d.out); err != nil {
		return dst, false, fmt.Errorf("send request: %w", err)
	}
	interrupted := false
	for {
		if err := ctx.Err(); err != nil {
			return dst, false, err
		}
		n, err := d.conn.Receive(ctx, d.buf)
		if err != nil {
			return dst, false, fmt.Errorf("receive: %w", err)
		}
		var p progress
		before := len(dst)
		dst, p, err = decode(dst, d.buf[:n], r.proto, d.seq)
		dst = d.Ration.KeepFrom(dst, before, &d.rest)
		interrupted = interrupted || p.interrupted
		if err != nil || p.done {
			return dst, interrupted, err
		}
	}
}
