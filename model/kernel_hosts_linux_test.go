package model_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/live"
	"ephtop/source/netlab"
)

// manyHosts is how many hosts TestKernelHosts makes up; EPHTOP_HOSTS=SEED:COUNT
// makes others.
const manyHosts = 200

// TestKernelHosts makes up small hosts on which all kinds of holders live side
// by side, and asks the kernel how many connections it still gives towards a
// destination. By the kernel's own tables the model knows the number exactly,
// but for the one port that connect() may or may not come to where the range has
// an odd number of them. By dumps it knows where none of the holders is of a
// kind that a dump can't show (see "H, and how to know it" in the package's
// documentation), and may be wrong about those.
func TestKernelHosts(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{live.Tables, live.Sockdiag} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			seed, count := whichHosts(t)
			exact, wrong := 0, 0
			for i := range uint64(count) {
				t.Run(fmt.Sprint(seed+i), func(t *testing.T) {
					h := newMixedHost(t, kind, seed+i)
					says, gives := h.ask()
					switch {
					case says == gives || max(says-gives, gives-says) == 1 && h.ports.Count()%2 == 1:
						exact++
					case kind == live.Sockdiag && h.blind:
						wrong++
					default:
						t.Errorf("the model allows %d, the kernel gives %d: %s", says, gives, h)
					}
				})
			}
			t.Logf("%d of %d exact, %d differ within what a dump can't show", exact, count, wrong)
		})
	}
}

func whichHosts(t *testing.T) (seed uint64, count int) {
	first, n, ok := strings.Cut(os.Getenv("EPHTOP_HOSTS"), ":")
	if !ok {
		return 1, some(manyHosts)
	}
	seed, err1 := strconv.ParseUint(first, 10, 64)
	count, err2 := strconv.Atoi(n)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return seed, count
}

// mixedHost is a host with a few crowds of different holders.
type mixedHost struct {
	*lab
	rand     *rand.Rand
	ports    source.PortRange
	reserved string
	least    shown // of its holders
	blind    bool  // there are holders that a dump can't tell apart
	told     []string
	servers  map[string]int // listeners by address
	client   int            // the last port outside of the range that a client took
}

func (h *mixedHost) String() string {
	return fmt.Sprintf("%v reserved %q: %s", h.ports, h.reserved, strings.Join(h.told, ", "))
}

// elsewhere is the destination that nobody is connected to.
const elsewhere = "127.0.0.77:8077"

func newMixedHost(t *testing.T, kind string, seed uint64) *mixedHost {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	h := &mixedHost{rand: r, servers: make(map[string]int)}
	h.ports.Low = uint16(20000 + r.IntN(20000))
	h.ports.High = h.ports.Low + uint16(19+r.IntN(82))
	h.lab = newLabIn(t, kind, fmt.Sprintf("%d %d", h.ports.Low, h.ports.High))
	h.Sysctl("net.ipv4.tcp_tw_reuse", strconv.Itoa(r.IntN(3)))
	if r.IntN(3) == 0 {
		low := h.ports.Low + uint16(r.IntN(h.ports.Count()))
		h.reserved = fmt.Sprintf("%d-%d", low, min(h.ports.High, low+uint16(r.IntN(8))))
		h.Sysctl("net.ipv4.ip_local_reserved_ports", h.reserved)
	}
	h.Listen(elsewhere)
	kinds := slices.Clone(crowds)
	r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	for _, c := range kinds[:1+r.IntN(4)] {
		n := 1 + r.IntN(1+h.ports.Count()/2)
		got := c.hold(h, n)
		h.told = append(h.told, fmt.Sprintf("%d %s", got, c.name))
		if got > 0 {
			h.least = max(h.least, c.shown)
		}
	}
	return h
}

// ask is how many connections the model allows, and how many the kernel gives:
// to a destination that nobody is connected to, or to one that somebody is.
func (h *mixedHost) ask() (says, gives int) {
	st := h.look()
	h.blind = h.least == never || h.least == lately && !st.Snapshot.BoundListed
	key, connect := towards("127.0.0.1", elsewhere), h.connect(elsewhere)
	if tuples := st.TCP.Pressure.Tuples; len(tuples) > 0 && h.rand.IntN(2) == 0 {
		if held := tuples[h.rand.IntN(len(tuples))].TupleKey; held.Pool == model.PoolRange {
			key, connect = h.held(held, key, connect)
		}
	}
	says = free(st, key)
	gives, err := netlab.Repeat(tooMany, connect)
	if !errors.Is(err, unix.EADDRNOTAVAIL) {
		h.t.Fatalf("%s: connect: %v", h, err)
	}
	return says, gives
}

// held is a destination that somebody is connected to, if it is one of a
// server; otherwise it stays with the other one.
func (h *mixedHost) held(key, other model.TupleKey, connect func() (int, error)) (model.TupleKey, func() (int, error)) {
	to := source.AddrPort(key.Destination, key.Port)
	if _, ok := h.servers[to]; !ok {
		return other, connect
	}
	if key.Interface != 0 {
		return key, func() (int, error) { return h.ConnectVia("lo", to) }
	}
	return key, func() (int, error) { return h.ConnectNoPort(source.AddrPort(key.Source, 0), to) }
}

// somewhere is one of a few addresses of a server.
func (h *mixedHost) somewhere() string {
	return fmt.Sprintf("127.0.0.%d:%d", 2+h.rand.IntN(3), 80+h.rand.IntN(2))
}

// within is a port of the range.
func (h *mixedHost) within() uint16 { return h.ports.Low + uint16(h.rand.IntN(h.ports.Count())) }

// outside is an address for a client whose port is outside of the range.
func (h *mixedHost) outside() string {
	h.client++
	return fmt.Sprintf("127.0.0.5:%d", 1000+h.client)
}

// several opens up to n sockets and counts them: the range may be used up, and
// a port taken.
func (h *mixedHost) several(n int, open func() (int, error)) int {
	got := 0
	for range n {
		_, err := open()
		switch {
		case err == nil:
			got++
		case !errors.Is(err, unix.EADDRNOTAVAIL) && !errors.Is(err, unix.EADDRINUSE):
			h.t.Fatalf("%s: %v", h, err)
		}
	}
	return got
}

// shown says how far a dump shows what they are.
type shown int

const (
	fully  shown = iota
	lately       // since Linux 6.8, which lists bound and unconnected sockets
	never
)

// crowds are the kinds of holders. hold opens up to n of them and returns how
// many there are.
var crowds = []struct {
	name  string
	shown shown
	hold  func(h *mixedHost, n int) int
}{
	{"connected", fully, func(h *mixedHost, n int) int {
		return h.several(n, func() (int, error) { return h.Connect(h.served()) })
	}},
	{"connected to one destination", fully, func(h *mixedHost, n int) int {
		return h.several(n, h.connect(h.served()))
	}},
	{"connected over IPv6", fully, func(h *mixedHost, n int) int {
		h.Listen("[::1]:443")
		return h.several(n, h.connect("[::1]:443"))
	}},
	{"connected by IP_BIND_ADDRESS_NO_PORT", fully, func(h *mixedHost, n int) int {
		return h.several(n, func() (int, error) { return h.ConnectNoPort("127.0.0.9:0", h.served()) })
	}},
	{"TIME_WAIT", fully, func(h *mixedHost, n int) int { return h.waiting(n, "") }},
	{"bound first", never, func(h *mixedHost, n int) int {
		return h.several(n, func() (int, error) { return h.ConnectFrom("127.0.0.9:0", h.served()) })
	}},
	{"bound first over IPv6", never, func(h *mixedHost, n int) int {
		h.Listen("[::1]:444")
		return h.several(n, func() (int, error) { return h.ConnectFrom("[::1]:0", "[::1]:444") })
	}},
	{"TIME_WAIT of bound first", never, func(h *mixedHost, n int) int { return h.waiting(n, "127.0.0.1:0") }},
	{"bound to a port of the range, then connected", never, func(h *mixedHost, n int) int {
		return h.several(n, func() (int, error) {
			return h.ConnectFrom(fmt.Sprintf("127.0.0.8:%d", h.within()), h.served())
		})
	}},
	{"bound first with SO_REUSEADDR", never, func(h *mixedHost, n int) int {
		return h.several(n, func() (int, error) { return h.ConnectReuse("127.0.0.9:0", h.served()) })
	}},
	{"connected from a range of their own", never, func(h *mixedHost, n int) int {
		low := int(h.within())
		high := min(int(h.ports.High), low+n)
		return h.several(n, func() (int, error) { return h.ConnectRange(low, high, h.served()) })
	}},
	{"bound to a device", fully, func(h *mixedHost, n int) int {
		return h.several(n, func() (int, error) { return h.ConnectVia("lo", h.served()) })
	}},
	{"bound", lately, func(h *mixedHost, n int) int { return h.several(n, h.bind("127.0.0.1:0")) }},
	{"bound on any address", lately, func(h *mixedHost, n int) int { return h.several(n, h.bind("0.0.0.0:0")) }},
	{"listeners", fully, func(h *mixedHost, n int) int { return len(h.listeners(n)) }},
	{"children of listeners", fully, func(h *mixedHost, n int) int { return len(h.children(n)) }},
	{"children of listeners that are gone", never, func(h *mixedHost, n int) int {
		list := h.children(n)
		for _, fd := range list {
			h.Close(fd)
		}
		return len(list)
	}},
	{"server's sides", fully, func(h *mixedHost, n int) int {
		h.Listen("127.0.0.6:90")
		return h.several(n, func() (int, error) { return h.ConnectFrom(h.outside(), "127.0.0.6:90") })
	}},
}

// listeners listen on ports of the range that are free.
func (h *mixedHost) listeners(n int) (list []int) {
	for range n {
		fd, err := h.TryListen(fmt.Sprintf("127.0.0.1:%d", h.within()))
		if err == nil {
			list = append(list, fd)
		}
	}
	return list
}

// children are accepted, one from each of some listeners, from clients whose own
// ports are outside of the range. It returns the listeners.
func (h *mixedHost) children(n int) (list []int) {
	for range n {
		at := fmt.Sprintf("127.0.0.1:%d", h.within())
		fd, err := h.TryListen(at)
		if err != nil {
			continue
		}
		list = append(list, fd)
		h.opens(1, func() (int, error) { return h.ConnectFrom(h.outside(), at) })
		h.Accept(fd)
	}
	return list
}

// waiting leaves up to n TIME_WAIT of connections, bound to from first where
// that is not "".
func (h *mixedHost) waiting(n int, from string) int {
	const at = "127.0.0.7:99"
	listener, ok := h.servers[at]
	if !ok {
		listener = h.Listen(at)
		h.servers[at] = listener
	}
	got := 0
	for range n {
		var err error
		if from == "" {
			err = h.TimeWait(listener, at, 1)
		} else {
			err = h.TimeWaitFrom(listener, from, at, 1)
		}
		if err != nil {
			break
		}
		got++
	}
	return got
}

// served is the address of a server that listens.
func (h *mixedHost) served() string {
	at := h.somewhere()
	if _, ok := h.servers[at]; !ok {
		h.servers[at] = h.Listen(at)
	}
	return at
}
