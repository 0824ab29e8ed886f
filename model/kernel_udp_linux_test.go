package model_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

// TestKernelUDP asks for UDP ports where some are taken.
//
// connect() and sendto() of a socket without a port bind it to the wildcard
// address first (inet_autobind, before the route to the destination gives it
// a source), so a port that is held on any local IPv4 address is taken for
// them, whatever the destination: one pool. bind(ip, 0) asks only for that
// address and the wildcard: one pool each. A socket that was connected has
// left the wildcard for its source address; one that only sent stays there.
func TestKernelUDP(t *testing.T) {
	t.Parallel()
	bind := func(addr string) func(*lab) (int, error) {
		return func(l *lab) (int, error) { return l.BindUDP(addr) }
	}
	connect := func(to string) func(*lab) (int, error) {
		return func(l *lab) (int, error) { return l.ConnectUDP(to) }
	}
	send := func(to string) func(*lab) (int, error) {
		return func(l *lab) (int, error) { return l.SendUDP(to) }
	}
	const whole = "" // the model's headline; else the bind pool of an address
	tests := []struct {
		name    string
		taken   int
		take    func(*lab) (int, error)
		ask     func(*lab) (int, error)
		pool    string
		left    int
		refusal error
	}{
		{"connect", 0, nil, connect("127.0.0.1:53"), whole, 100, unix.EAGAIN},
		{"sendto", 0, nil, send("127.0.0.1:53"), whole, 100, unix.EAGAIN},
		{"bind", 0, nil, bind("127.0.0.1:0"), "127.0.0.1", 100, unix.EADDRINUSE},

		{"connect after connects elsewhere", 50, connect("127.0.0.1:53"), connect("127.0.0.2:54"), whole, 50, unix.EAGAIN},
		{"connect after binds to another address", 50, bind("127.0.0.2:0"), connect("127.0.0.1:53"), whole, 50, unix.EAGAIN},
		{"sendto after binds to another address", 50, bind("127.0.0.2:0"), send("127.0.0.1:53"), whole, 50, unix.EAGAIN},
		{"mapped connect after binds to another address", 50, bind("127.0.0.2:0"), connect("[::ffff:127.0.0.1]:53"), whole, 50, unix.EAGAIN},
		{"IPv6 connect after IPv4 binds", 50, bind("127.0.0.2:0"), connect("[::1]:53"), whole, 50, unix.EAGAIN},
		{"connect after IPv6 connects", 50, connect("[::1]:53"), connect("127.0.0.1:53"), whole, 50, unix.EAGAIN},

		{"bind after binds to the address", 50, bind("127.0.0.1:0"), bind("127.0.0.1:0"), "127.0.0.1", 50, unix.EADDRINUSE},
		{"bind after binds to another address", 50, bind("127.0.0.2:0"), bind("127.0.0.1:0"), "127.0.0.1", 100, unix.EADDRINUSE},
		{"bind after connects from the address", 50, connect("127.0.0.1:53"), bind("127.0.0.1:0"), "127.0.0.1", 50, unix.EADDRINUSE},
		{"bind after connects from another address", 50, connect("127.0.0.1:53"), bind("127.0.0.2:0"), "127.0.0.2", 100, unix.EADDRINUSE},
		{"bind after sendtos, which hold the wildcard", 50, send("127.0.0.1:53"), bind("127.0.0.2:0"), "127.0.0.2", 50, unix.EADDRINUSE},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			l.opens(tt.taken, func() (int, error) { return tt.take(l) })
			p := &l.look().UDP.Pressure
			says := 0
			if tt.pool == whole {
				head := p.Headline()
				says = head.Free
			} else {
				says = bindable(p, tt.pool)
			}
			if says != tt.left {
				t.Errorf("the model says that %d are left, want %d", says, tt.left)
			}
			if p.InUse != tt.taken {
				t.Errorf("the model sees %d ports in use, want %d", p.InUse, tt.taken)
			}
			l.gives(tt.left, tt.refusal, func() (int, error) { return tt.ask(l) })
		})
	}
}

// The ports of sockets that are bound to an IPv6 address are free for IPv4.
func TestKernelUDPBoundToIPv6LeavesIPv4Alone(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.opens(50, func() (int, error) { return l.BindUDP("[::1]:0") })
	st := l.look()
	if head := st.UDP.Pressure.Headline(); head.Free != 50 {
		t.Errorf("the model says that %d are left, want 50", head.Free)
	}
	if v6 := st.UDP.States[source.Bound]; v6 != 50 {
		t.Errorf("%d bound UDP sockets, want 50", v6)
	}
	if p := &st.UDP.Pressure; p.Usable-p.InUse+p.OnlyIPv6 != 100 {
		t.Errorf("%d in use, %d of them for IPv6 alone, want 100 left to IPv4", p.InUse, p.OnlyIPv6)
	}
	l.gives(100, unix.EAGAIN, func() (int, error) { return l.ConnectUDP("127.0.0.1:53") })
}
