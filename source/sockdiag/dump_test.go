package sockdiag

import (
	"context"
	"encoding/binary"
	"errors"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/source/netlink"
)

// fakeKernel answers requests by a script, whatever connection they come on.
type fakeKernel struct {
	t       *testing.T
	answers []answer
	dials   int
	dialErr error
}

// answer is what one request brings: datagrams and errors, in their order.
type answer []event

// event is one return of receive, or with send of the request itself.
type event struct {
	datagram func(seq uint32) []byte
	err      error
	send     bool
	before   func()
}

func (k *fakeKernel) dial() (transport, error) {
	if k.dials > 0 && k.dialErr != nil {
		return nil, k.dialErr
	}
	k.dials++
	return &fakeConn{k: k}, nil
}

func (k *fakeKernel) open() *Dumper {
	d, err := newDumper(k.dial)
	if err != nil {
		k.t.Fatal(err)
	}
	return d
}

var errScript = errors.New("the script has no more to say")

// fakeConn is one netlink socket. Like one, it forgets what is under way when
// it is closed.
type fakeConn struct {
	k       *fakeKernel
	pending answer
	seq     uint32
	closed  bool
}

func (c *fakeConn) Send(b []byte) error {
	if c.closed {
		c.k.t.Error("a request on a closed connection")
	}
	if len(c.k.answers) == 0 {
		return errScript
	}
	c.seq = binary.NativeEndian.Uint32(b[8:])
	c.pending = append(c.pending, c.k.answers[0]...)
	c.k.answers = c.k.answers[1:]
	if len(c.pending) > 0 && c.pending[0].send {
		err := c.pending[0].err
		c.pending = c.pending[1:]
		return err
	}
	return nil
}

func (c *fakeConn) Receive(_ context.Context, b []byte) (int, error) {
	if c.closed {
		c.k.t.Error("a read from a closed connection")
	}
	if len(c.pending) == 0 {
		return 0, errScript
	}
	e := c.pending[0]
	c.pending = c.pending[1:]
	if e.before != nil {
		e.before()
	}
	if e.err != nil {
		return 0, e.err
	}
	return copy(b, e.datagram(c.seq)), nil
}

func (c *fakeConn) Close() error {
	if c.closed {
		c.k.t.Error("closed twice")
	}
	c.closed = true
	return nil
}

// rowsEvent is a datagram with a row for each local port.
func rowsEvent(flags uint16, ports ...uint16) event {
	return event{datagram: func(seq uint32) []byte {
		var b []byte
		for _, port := range ports {
			b = append(b, messageSeq(seq, typeByFamily, flags, row(afInet, port))...)
		}
		return b
	}}
}

func rows(ports ...uint16) event        { return rowsEvent(0, ports...) }
func interrupted(ports ...uint16) event { return rowsEvent(netlink.DumpInterrupted, ports...) }
func end() event                        { return control(netlink.Done, 0) }
func refusal(e syscall.Errno) event     { return control(netlink.Error, e) }
func fails(err error) event             { return event{err: err} }

func control(kind uint16, e syscall.Errno) event {
	return event{datagram: func(seq uint32) []byte { return messageSeq(seq, kind, 0, errno(-int32(e))) }}
}

// staleEnd is what an abandoned dump left behind.
func staleEnd() event {
	return event{datagram: func(seq uint32) []byte {
		return join(messageSeq(seq-1, typeByFamily, netlink.DumpInterrupted, row(afInet, 99)), messageSeq(seq-1, netlink.Done, 0, errno(0)))
	}}
}

func nonsense() event {
	return event{datagram: func(seq uint32) []byte { return messageSeq(seq, 99, 0, nil) }}
}

// whole is a dump without trouble.
func whole(ports ...uint16) answer { return answer{rows(ports...), end()} }

func localPorts(sockets []source.Socket) []uint16 {
	var ports []uint16
	for i := range sockets {
		ports = append(ports, sockets[i].LocalPort)
	}
	return ports
}

// The requests are: TCP of both families, UDP over IPv4, UDP over IPv6.
func TestDump(t *testing.T) {
	t.Parallel()
	always := func(n int, e ...event) []answer {
		var list []answer
		for range n {
			list = append(list, e)
		}
		return list
	}
	tests := []struct {
		name    string
		answers []answer
		ports   []uint16
		report  Report
		dials   int
	}{
		{"no trouble", []answer{whole(1, 2), whole(3), whole(4)}, []uint16{1, 2, 3, 4}, Report{}, 1},
		{"nothing there", []answer{{end()}, {end()}, {end()}}, nil, Report{}, 1},
		{"several datagrams", []answer{{rows(1), rows(2, 3), end()}, whole(), whole(4)}, []uint16{1, 2, 3, 4}, Report{}, 1},
		{"left-overs of another dump", []answer{{staleEnd(), rows(1), end()}, whole(), whole()}, []uint16{1}, Report{}, 1},

		{"interrupted once", []answer{{rows(1), interrupted(2), end()}, whole(5, 6), whole(3), whole(4)},
			[]uint16{5, 6, 3, 4}, Report{Retries: 1}, 1},
		{"interrupted in the second request", []answer{whole(1), {interrupted(2), end()}, whole(5), whole(4)},
			[]uint16{1, 5, 4}, Report{Retries: 1}, 1},
		{"interrupted every time: the last try counts", append(
			[]answer{{interrupted(1), end()}, {interrupted(2), end()}, {interrupted(3), end()}, {interrupted(4), end()}},
			whole(5), whole(6)), []uint16{4, 5, 6}, Report{Retries: 3, Interrupted: true}, 1},

		{"receive buffer overrun", []answer{{rows(1), fails(syscall.ENOBUFS)}, whole(1, 2), whole(3), whole(4)},
			[]uint16{1, 2, 3, 4}, Report{Retries: 1}, 2},
		{"receive buffer overrun, said by the kernel", []answer{whole(1), {rows(2), refusal(syscall.ENOBUFS)}, whole(2, 3), whole(4)},
			[]uint16{1, 2, 3, 4}, Report{Retries: 1}, 2},
		{"a signal", []answer{{rows(1), fails(syscall.EINTR)}, whole(1), whole(2), whole(3)},
			[]uint16{1, 2, 3}, Report{Retries: 1}, 2},
		{"another dump under way", []answer{{refusal(syscall.EBUSY)}, whole(1), whole(2), whole(3)},
			[]uint16{1, 2, 3}, Report{Retries: 1}, 2},
		{"the last try succeeds", append(always(maxRedials, rows(1), fails(syscall.ENOBUFS)), whole(1), whole(2), whole(3)),
			[]uint16{1, 2, 3}, Report{Retries: maxRedials}, 1 + maxRedials},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := &fakeKernel{t: t, answers: tt.answers}
			d := k.open()
			defer d.Close()
			there := source.Socket{LocalPort: 77}
			got, report, err := d.Dump(context.Background(), []source.Socket{there})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]uint16{77}, tt.ports...), localPorts(got)); diff != "" {
				t.Errorf("local ports (-want +got):\n%s", diff)
			}
			if report != tt.report || k.dials != tt.dials {
				t.Errorf("report %+v and %d connections, want %+v and %d", report, k.dials, tt.report, tt.dials)
			}
			if len(k.answers) > 0 {
				t.Errorf("%d answers were not asked for", len(k.answers))
			}
		})
	}
}

func TestDumpNamesTheProtocol(t *testing.T) {
	t.Parallel()
	k := &fakeKernel{t: t, answers: []answer{whole(1), whole(2), whole(3)}}
	d := k.open()
	defer d.Close()
	got, _, err := d.Dump(context.Background(), nil)
	if err != nil || len(got) != 3 || got[0].Proto != source.TCP || got[1].Proto != source.UDP || got[2].Proto != source.UDP {
		t.Errorf("got %v, %v, want a tcp row and two udp rows", got, err)
	}
}

func TestDumpFails(t *testing.T) {
	t.Parallel()
	overrun := answer{rows(1), fails(syscall.ENOBUFS)}
	tests := []struct {
		name    string
		answers []answer
		want    error
		says    string
	}{
		{"refused", []answer{{refusal(syscall.EPERM)}}, syscall.EPERM, "dump tcp sockets: operation not permitted"},
		{"no handler in the kernel", []answer{{refusal(syscall.ENOENT)}}, syscall.ENOENT, "dump tcp sockets: no such file or directory"},
		{"failed at the end", []answer{{rows(1), control(netlink.Done, syscall.EINVAL)}}, syscall.EINVAL, "dump tcp sockets: invalid argument"},
		{"sending is refused", []answer{{{send: true, err: syscall.EACCES}}}, syscall.EACCES, "dump tcp sockets: send request: permission denied"},
		{"malformed", []answer{{rows(1), nonsense()}}, netlink.ErrMalformed, "dump tcp sockets: malformed netlink reply: message type 99"},
		{"overrun every time", []answer{overrun, overrun, overrun, overrun}, syscall.ENOBUFS, "dump tcp sockets: receive: no buffer space available"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := &fakeKernel{t: t, answers: tt.answers}
			d := k.open()
			defer d.Close()
			_, _, err := d.Dump(context.Background(), nil)
			if !errors.Is(err, tt.want) || err.Error() != tt.says {
				t.Errorf("error %v, want %s", err, tt.says)
			}
			if len(k.answers) > 0 {
				t.Errorf("%d answers were not asked for", len(k.answers))
			}
			checkRecovers(t, k, d)
		})
	}
}

func TestKernelWithoutUDPDiagStillListsTCP(t *testing.T) {
	t.Parallel()
	k := &fakeKernel{t: t, answers: []answer{whole(1), {refusal(syscall.ENOENT)}, {refusal(syscall.ENOENT)}}}
	d := k.open()
	defer d.Close()
	got, report, err := d.Dump(context.Background(), nil)
	if err != nil || !report.NoUDP {
		t.Errorf("report %+v, %v, want no UDP and no error", report, err)
	}
	if diff := cmp.Diff([]uint16{1}, localPorts(got)); diff != "" {
		t.Errorf("local ports (-want +got):\n%s", diff)
	}
}

// checkRecovers wants the next dump to succeed, on a new connection.
func checkRecovers(t *testing.T, k *fakeKernel, d *Dumper) {
	t.Helper()
	before := k.dials
	k.answers = []answer{whole(1), whole(2), whole(3)}
	got, report, err := d.Dump(context.Background(), nil)
	if err != nil || report != (Report{}) {
		t.Errorf("the next dump: %+v, %v, want no trouble", report, err)
	}
	if diff := cmp.Diff([]uint16{1, 2, 3}, localPorts(got)); diff != "" {
		t.Errorf("local ports of the next dump (-want +got):\n%s", diff)
	}
	if k.dials != before+1 {
		t.Errorf("the next dump made %d new connections, want 1", k.dials-before)
	}
}

func TestDumpIsCancelled(t *testing.T) {
	t.Parallel()
	k := &fakeKernel{t: t}
	d := k.open()
	defer d.Close()
	ctx, cancel := context.WithCancel(context.Background())
	second := rows(2)
	second.before = cancel
	k.answers = []answer{{rows(1), second, rows(3), end()}}
	if _, _, err := d.Dump(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	checkRecovers(t, k, d)
}

func TestDumpCannotDial(t *testing.T) {
	t.Parallel()
	k := &fakeKernel{t: t, answers: []answer{{fails(syscall.ENOBUFS)}}, dialErr: syscall.EMFILE}
	d := k.open()
	_, _, err := d.Dump(context.Background(), nil)
	if want := "dump tcp sockets: open netlink socket: too many open files"; !errors.Is(err, syscall.EMFILE) || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if err := d.Close(); err != nil {
		t.Errorf("close without a connection: %v", err)
	}
	k.dialErr = nil
	checkRecovers(t, k, d)

	_, err = newDumper(func() (transport, error) { return nil, syscall.EPROTONOSUPPORT })
	if want := "open netlink socket: protocol not supported"; !errors.Is(err, syscall.EPROTONOSUPPORT) || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	type asked struct {
		length      int
		kind, flags uint16
		seq         uint32
		family      uint8
		proto       uint8 // 0 where the type says it
		states      uint32
	}
	const everyState = 0x3ffe // TCP_ESTABLISHED … TCP_BOUND_INACTIVE
	want := []asked{
		{76, 18, 0x301, 5, 0, 0, everyState},
		{72, 20, 0x301, 5, 2, 17, everyState},
		{72, 20, 0x301, 5, 10, 17, everyState},
	}
	var got []asked
	for _, r := range requests {
		b := r.append(nil, 5, allStates)
		a := asked{
			length: int(binary.NativeEndian.Uint32(b)), kind: binary.NativeEndian.Uint16(b[4:]),
			flags: binary.NativeEndian.Uint16(b[6:]), seq: binary.NativeEndian.Uint32(b[8:]), family: b[16],
		}
		if len(b) != a.length {
			t.Errorf("a request of %d bytes says %d", len(b), a.length)
		}
		if a.kind == 18 {
			a.states = binary.NativeEndian.Uint32(b[68:])
		} else {
			a.proto, a.states = b[17], binary.NativeEndian.Uint32(b[20:])
		}
		got = append(got, a)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(asked{})); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}
