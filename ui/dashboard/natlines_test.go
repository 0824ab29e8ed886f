package dashboard

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/ui/dashboard/paint"
)

const snatPool = "SNAT 203.0.113.7 → 93.184.216.34:443"

// third are the lines of the third face.
func (h *harness) third() []string {
	var lines []string
	for _, n := range h.m.view.Namespaces {
		name := n.Scope.Name
		if n.IsPool() {
			name = n.Name()
		}
		lines = append(lines, name)
	}
	return lines
}

func (h *harness) wantThird(lines ...string) {
	h.Helper()
	if d := cmp.Diff(lines, h.third()); d != "" {
		h.Error(d)
	}
}

// The pools of translated ports stand among the namespaces, and are sorted and
// filtered as these are: by whose they are, too.
func TestPoolsOfTranslatedPorts(t *testing.T) {
	t.Parallel()
	runDemo(t, "snat", 46*time.Second, Config{}, func(h *harness) {
		h.press("3")
		h.wantThird("", snatPool, "ticker", "alerts", "web")
		h.press("S")
		h.wantThird("web", "alerts", "ticker", snatPool, "")
		h.press("S", "s", "n")
		h.wantThird(snatPool, "alerts", "", "ticker", "web") // by bytes
		h.press("s", "k")
		h.wantThird("ticker", "alerts", "web", "", snatPool)
		h.press("s", "o")
		h.wantThird(snatPool, "ticker", "alerts", "web", "")
		for _, c := range []struct {
			filter string
			want   []string
		}{
			{"proc:ticker", []string{snatPool, "ticker"}},
			{"ns:alerts", []string{snatPool, "alerts"}},
			{"local:203.0.113.0/24", []string{snatPool}},
			{"remote:93.184.216.34 rport:443", []string{snatPool, "ticker", "alerts"}},
			{"rport:587", []string{"web"}},
			{"udp rport:443", nil},
		} {
			h.press("/")
			h.typeText(c.filter)
			h.press("enter")
			h.wantThird(c.want...)
			h.press("esc")
		}
		h.press("s", "w", "down", "y")
		if got := h.m.view.Notice; got != "copied "+snatPool {
			t.Errorf("notice %q", got)
		}
	})
}

// The details of a pool follow it, and close as others do.
func TestDetailsOfAPool(t *testing.T) {
	t.Parallel()
	runDemo(t, "snat", 46*time.Second, Config{}, func(h *harness) {
		h.press("3", "down", "enter")
		before := h.m.View()
		for _, words := range []string{snatPool, "of 16,384", "lose their first packet", "ticker (pid 31100) in ticker, from 172.18.0.2", "dropped"} {
			if !strings.Contains(before, words) {
				t.Errorf("no %q in\n%s", words, before)
			}
		}
		h.sleep(12 * time.Second)
		if after := h.m.View(); !strings.Contains(after, "16,384 of 16,384") || !strings.Contains(after, "all new connections") {
			t.Errorf("twelve seconds later:\n%s", after)
		}
		h.press("enter")
		if h.m.view.Overlay != paint.OverlayNone || h.m.view.Face != paint.FaceNamespaces {
			t.Errorf("overlay %v", h.m.view.Overlay)
		}
	})
}

// Where there is one namespace only, the third face is there for what it translates.
func TestPoolsOfOneNamespace(t *testing.T) {
	t.Parallel()
	run(t, some(3), func(h *harness) {
		h.press("3")
		if h.m.view.Face == paint.FaceNamespaces {
			t.Error("there is nothing to choose from")
		}
		pool := source.NATPool{Address: source.Addr4([4]byte{203, 0, 113, 7}), Remote: source.Addr4([4]byte{93, 184, 216, 34}), RemotePort: 443, Used: 60_000}
		h.src.set(func(s *fakeSource) {
			s.more = func(m *source.Moment) {
				n := source.NAT{Netns: m.Snapshots[0].Scope.Netns, Cookie: m.Snapshots[0].Scope.Cookie, Entries: 60_000, Seen: 60_000, Max: 1 << 18}
				if pool.Used > 0 {
					n.Pools = []source.NATPool{pool}
				}
				m.NATs = append(m.NATs, n)
			}
		})
		h.sleep(time.Second)
		h.press("3")
		h.wantThird("", snatPool)
		if frame := h.m.View(); !strings.Contains(frame, "3 SNAT") {
			t.Errorf("no face of that name:\n%s", frame)
		}
		h.press("down", "enter")
		h.src.set(func(*fakeSource) { pool.Used = 0 })
		h.sleep(time.Second)
		if frame := h.m.View(); !strings.Contains(frame, "Nothing is translated there any more") {
			t.Errorf("the pool has gone:\n%s", frame)
		}
		h.press("y", "esc")
		h.wantThird("")
	})
}

// What a NAT on the way has stands there too: the fullest however little it is.
func TestLinesOfANATOnTheWay(t *testing.T) {
	t.Parallel()
	const way, little, mail = "NAT on the way → 93.184.216.34:443", "NAT on the way → 198.51.100.20:443", "NAT on the way → 198.51.100.25:587"
	runDemo(t, "snat", 20*time.Second, Config{NATPorts: 4000}, func(h *harness) {
		h.press("3")
		h.wantThird("ticker", way, "", snatPool, "alerts", mail, little, "web")
		for filter, want := range map[string][]string{
			"proc:ticker": {"ticker", way, snatPool}, "remote:198.51.100.20": {little, "web"}, "nat on": {way, mail, little}, "ns:web": {mail, little, "web"},
		} {
			h.press("/")
			h.typeText(filter)
			h.press("enter")
			h.wantThird(want...)
			h.press("esc")
		}
		h.press("home", "down", "enter")
		h.sleep(time.Second)
		frame := h.m.View()
		for _, words := range []string{way, "of 4,000 TCP ports", "each holds a port for certain", "by ticker"} {
			if !strings.Contains(frame, words) {
				t.Errorf("no %q in\n%s", words, frame)
			}
		}
		if h.press("y"); h.m.view.Notice != "copied "+way {
			t.Errorf("notice %q", h.m.view.Notice)
		}
	})
}
