package model_test

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/model"
	"ephtop/source/live"
)

// left is how many ports of 100 are left for whom.
type left struct{ same, destination, source, ipv6, bind int }

// question is one way to ask for ports until there are none.
type question struct {
	name    string
	of      func(left) int
	refusal error
	kernel  func(*lab) (int, error)
	model   func(*model.State) int
}

var questions = [...]question{
	{"same destination", func(n left) int { return n.same }, unix.EADDRNOTAVAIL,
		func(l *lab) (int, error) { return l.Connect("127.0.0.1:80") },
		func(st *model.State) int { return free(st, towards("127.0.0.1", "127.0.0.1:80")) }},
	{"other destination", func(n left) int { return n.destination }, unix.EADDRNOTAVAIL,
		func(l *lab) (int, error) { return l.Connect("127.0.0.2:80") },
		func(st *model.State) int { return free(st, towards("127.0.0.1", "127.0.0.2:80")) }},
	{"other source", func(n left) int { return n.source }, unix.EADDRNOTAVAIL,
		func(l *lab) (int, error) { return l.ConnectNoPort("127.0.0.9:0", "127.0.0.1:80") },
		func(st *model.State) int { return free(st, towards("127.0.0.9", "127.0.0.1:80")) }},
	{"IPv6", func(n left) int { return n.ipv6 }, unix.EADDRNOTAVAIL,
		func(l *lab) (int, error) { return l.Connect("[::1]:80") },
		func(st *model.State) int { return free(st, towards("::1", "[::1]:80")) }},
	{"bind", func(n left) int { return n.bind }, unix.EADDRINUSE,
		func(l *lab) (int, error) { return l.Bind("127.0.0.1:0") },
		func(st *model.State) int { return bindable(&st.TCP.Pressure, "127.0.0.1") }},
}

// TestKernelWhoBlocksWhom lets each kind of holder take 10 of the 100 ports,
// and asks the kernel what is left for whom.
//
// A dump shows a connection that was bound first, its TIME_WAIT, and the child
// of a listener that is gone, exactly as a connection without bind(). But the
// kernel withholds these ports from every destination (__inet_hash_connect
// skips a port whose bind bucket was made by bind or listen). So the model,
// going by one dump, is right about the holder's own destination and about
// bind there, and too hopeful about the rest: "says" is what it can know. By the
// kernel's own tables it knows everything.
func TestKernelWhoBlocksWhom(t *testing.T) {
	t.Parallel()
	ownTuple := left{90, 100, 100, 100, 90}
	everyone := left{90, 90, 90, 90, 90}
	nobody := left{100, 100, 100, 100, 100}
	tests := []struct {
		name        string
		hold        func(l *lab, listener int)
		gives, says left
	}{
		{"connected without bind", holdConnected, ownTuple, ownTuple},
		{"connected with IP_BIND_ADDRESS_NO_PORT", holdNoPort, ownTuple, ownTuple},
		{"its TIME_WAIT", holdTimeWait, ownTuple, ownTuple},
		{"bound first, then connected", holdBoundFirst, everyone, ownTuple},
		{"TIME_WAIT of bound first, then connected", holdBoundFirstTimeWait, everyone, ownTuple},
		{"bound, not connected", holdBound, everyone, everyone},
		{"listener", holdListener, everyone, everyone},
		{"child of a listener", holdChild, everyone, everyone},
		// The child's peer is none of the destinations asked for.
		{"child of a listener that is gone", holdOrphan, everyone, left{100, 100, 100, 100, 90}},
		{"server's side of a connection", holdServerSide, nobody, nobody},
	}
	for i := range 2 * len(tests) {
		tt, kind := tests[i/2], live.Sockdiag
		if i%2 == 1 {
			kind, tt.says = live.Tables, tt.gives
		}
		for n, q := range questions {
			if sampled() && (i+n)%4 != 0 {
				continue
			}
			t.Run(kind+"/"+tt.name+"/"+q.name, func(t *testing.T) {
				t.Parallel()
				l := newLabOf(t, kind)
				l.Sysctl("net.ipv4.tcp_tw_reuse", "0")
				listener := l.Listen("127.0.0.1:80")
				l.Listen("127.0.0.2:80")
				l.Listen("[::1]:80")
				tt.hold(l, listener)
				st := l.look()
				if tt.name == "bound, not connected" {
					l.needsBound(st)
				}
				if got, want := q.model(st), q.of(tt.says); got != want {
					t.Errorf("the model says that %d are left, want %d", got, want)
				}
				l.gives(q.of(tt.gives), q.refusal, func() (int, error) { return q.kernel(l) })
			})
		}
	}
}

// held is how many ports each holder takes.
const held = 10

func holdConnected(l *lab, _ int) { l.opens(held, l.connect("127.0.0.1:80")) }

func holdNoPort(l *lab, _ int) {
	l.opens(held, func() (int, error) { return l.ConnectNoPort("127.0.0.1:0", "127.0.0.1:80") })
}

func holdTimeWait(l *lab, listener int) {
	if err := l.TimeWait(listener, "127.0.0.1:80", held); err != nil {
		l.t.Fatal(err)
	}
}

func holdBoundFirst(l *lab, _ int) {
	l.opens(held, func() (int, error) { return l.ConnectFrom("127.0.0.1:0", "127.0.0.1:80") })
}

func holdBoundFirstTimeWait(l *lab, listener int) {
	if err := l.TimeWaitFrom(listener, "127.0.0.1:0", "127.0.0.1:80", held); err != nil {
		l.t.Fatal(err)
	}
}

func holdBound(l *lab, _ int) { l.opens(held, l.bind("127.0.0.1:0")) }

func holdListener(l *lab, _ int) {
	for i := range held {
		l.Listen(fmt.Sprintf("127.0.0.1:%d", 40000+i))
	}
}

func holdChild(l *lab, _ int) { holdChildren(l) }

func holdOrphan(l *lab, _ int) {
	for _, listener := range holdChildren(l) {
		l.Close(listener)
	}
}

// holdChildren accepts a connection on each of some ports of the range, from
// clients whose own ports are outside it. It returns the listeners.
func holdChildren(l *lab) []int {
	var listeners []int
	for i := range held {
		at := fmt.Sprintf("127.0.0.1:%d", 40000+i)
		listeners = append(listeners, l.Listen(at))
		l.opens(1, func() (int, error) { return l.ConnectFrom(fmt.Sprintf("127.0.0.1:%d", 1000+i), at) })
		l.Accept(listeners[i])
	}
	return listeners
}

// holdServerSide connects from ports outside the range to one outside it.
func holdServerSide(l *lab, _ int) {
	for i := range held {
		l.opens(1, func() (int, error) { return l.ConnectFrom(fmt.Sprintf("127.0.0.1:%d", 1000+i), "127.0.0.1:80") })
	}
}
