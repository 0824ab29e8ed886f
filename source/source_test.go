package source

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestAddr(t *testing.T) {
	cases := []struct {
		text, shown             string
		is4, wildcard, loopback bool
	}{
		{"10.0.0.9", "10.0.0.9", true, false, false},
		{"::ffff:10.0.0.9", "10.0.0.9", true, false, false},
		{"0.0.0.0", "0.0.0.0", true, true, false},
		{"::", "::", false, true, false},
		{"127.3.2.1", "127.3.2.1", true, false, true},
		{"::1", "::1", false, false, true},
		{"::ffff:127.0.0.1", "127.0.0.1", true, false, true},
		{"2001:db8::9f01", "2001:db8::9f01", false, false, false},
		{"fe80::1%eth0", "fe80::1", false, false, false},
	}
	for _, c := range cases {
		a := AddrFrom(netip.MustParseAddr(c.text))
		if a.String() != c.shown || a.Is4() != c.is4 || a.IsWildcard() != c.wildcard || a.IsLoopback() != c.loopback {
			t.Errorf("%s: %s, IPv4 %v, wildcard %v, loopback %v", c.text, a, a.Is4(), a.IsWildcard(), a.IsLoopback())
		}
	}
}

// A v4-mapped address is the same key as the IPv4 one.
func TestMappedAddressesAreOne(t *testing.T) {
	four, mapped := netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("::ffff:10.0.0.9")
	if AddrFrom(four) != AddrFrom(mapped) || AddrFrom(four) != Addr4([4]byte{10, 0, 0, 9}) {
		t.Error("10.0.0.9 and ::ffff:10.0.0.9 differ")
	}
	if AddrFrom(netip.Addr{}) != (Addr{}) {
		t.Error("no address is not the wildcard")
	}
}

func TestTupleString(t *testing.T) {
	a := AddrFrom(netip.MustParseAddr("10.0.0.9"))
	b := AddrFrom(netip.MustParseAddr("2001:db8::1"))
	s := Socket{Proto: TCP, Local: a, LocalPort: 41823, Remote: b, RemotePort: 443}
	if got, want := s.Tuple().String(), "tcp 10.0.0.9:41823 → [2001:db8::1]:443"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestParseState(t *testing.T) {
	for text, want := range map[string]State{
		"TIME_WAIT": TimeWait, "time-wait": TimeWait, "tw": TimeWait, "TimeWait": TimeWait, " estab ": Established,
		"listen": Listen, "fin-wait-1": FinWait1, "FIN_WAIT2": FinWait2, "unconn": Bound, "bound": Bound, "close": Close,
	} {
		if got, err := ParseState(text); got != want || err != nil {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "UNKNOWN", "TIME", "TIME_WAIT,LISTEN"} {
		_, err := ParseState(text)
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "ESTABLISHED") {
			t.Errorf("%q: error %v; want one line that says what is accepted", text, err)
		}
	}
	for s := Established; s < NumStates; s++ {
		if got, err := ParseState(s.String()); got != s || err != nil {
			t.Errorf("%v reads back as %v, %v", s, got, err)
		}
	}
}

func TestParsePortRange(t *testing.T) {
	for text, want := range map[string]PortRange{
		"32768-60999": {32768, 60999}, " 1 - 65535 ": {1, 65535}, "7-7": {7, 7},
	} {
		if got, err := ParsePortRange(text); got != want || err != nil {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "9-1", "0-5", "1", "1-65536", "a-b", "1-2-3", "-", "1–2"} {
		if _, err := ParsePortRange(text); !errors.Is(err, ErrRange) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v, want one line that is ErrRange", text, err)
		}
	}
}

func FuzzParsePortRange(f *testing.F) {
	f.Add("32768-60999")
	f.Add("9-1")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParsePortRange(text)
		if err != nil {
			return
		}
		if again, err := ParsePortRange(r.String()); again != r || err != nil || r.Count() < 1 {
			t.Errorf("%q is %v, which reads back as %v, %v", text, r, again, err)
		}
	})
}

func TestUsablePortsAreCounted(t *testing.T) {
	s := Settings{
		Range:    PortRange{40000, 40099},
		Reserved: []PortRange{{39000, 40004}, {40050, 40050}, {40098, 50000}, {60000, 60000}},
	}
	if s.ReservedInRange() != 8 || s.Usable() != 92 {
		t.Errorf("%d reserved, %d usable; want 8 and 92", s.ReservedInRange(), s.Usable())
	}
	for port, want := range map[uint16]bool{40004: true, 40005: false, 40050: true, 60000: true, 65535: false} {
		if s.IsReserved(port) != want {
			t.Errorf("port %d reserved: %v, want %v", port, !want, want)
		}
	}
	clone := s.Clone()
	clone.Reserved[0].Low = 1
	if s.Reserved[0].Low != 39000 {
		t.Error("a change to a clone changes the original")
	}
}

func TestResetKeepsMemoryAndNothingElse(t *testing.T) {
	s := Moment{Host: "a", Room: make([]Socket, 3, 8), Limits: []Limit{{}}, Traced: true, LostEvents: 2}
	s.Reset()
	if s.Host != "" || s.Traced || s.LostEvents != 0 || len(s.Room) != 0 || cap(s.Room) != 8 || len(s.Limits) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	a := AddrFrom(netip.MustParseAddr("10.0.0.9"))
	b := AddrFrom(netip.MustParseAddr("10.0.9.2"))
	base := Socket{Proto: TCP, Local: a, LocalPort: 40000, Remote: b, RemotePort: 5432}
	bound := Socket{Proto: TCP, Local: a, LocalPort: 40000, Inode: 7}
	seen := map[uint64]string{base.Identity(): "base", bound.Identity(): "bound"}
	for name, change := range map[string]func(*Socket){
		"local port": func(s *Socket) { s.LocalPort++ }, "remote port": func(s *Socket) { s.RemotePort++ },
		"protocol": func(s *Socket) { s.Proto = UDP }, "local address": func(s *Socket) { s.Local[15]++ },
		"remote address": func(s *Socket) { s.Remote[15]++ }, "interface": func(s *Socket) { s.Interface++ },
		"other direction": func(s *Socket) {
			s.Local, s.LocalPort, s.Remote, s.RemotePort = s.Remote, s.RemotePort, s.Local, s.LocalPort
		},
		"inode where there is no peer": func(s *Socket) { *s = bound; s.Inode++ },
	} {
		s := base
		change(&s)
		if other, ok := seen[s.Identity()]; ok {
			t.Errorf("another %s gives the identity of the %s", name, other)
		}
		seen[s.Identity()] = name
	}
	later := base
	later.State, later.Process, later.Cookie, later.Inode = TimeWait, 3, 9, 4
	if later.Identity() != base.Identity() {
		t.Error("the identity changes with state, process, cookie or inode")
	}
}

// A hundred thousand connections that differ in their ports or in the last
// bytes of an address have as many identities.
func TestIdentitiesDiffer(t *testing.T) {
	t.Parallel()
	seen := map[uint64]bool{}
	for i := range 100_000 {
		s := Socket{Proto: TCP, Local: Addr4([4]byte{10, 0, 0, 1}), LocalPort: uint16(32768 + i%1000), RemotePort: uint16(1 + i/1000%10)}
		s.Remote = Addr4([4]byte{10, 0, byte(i / 10000), 2})
		seen[s.Identity()] = true
	}
	if len(seen) != 100_000 {
		t.Errorf("%d identities of 100000 connections", len(seen))
	}
}

func TestOther(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		cookies [2]uint64
		inodes  [2]uint32
		other   bool
	}{
		{name: "nothing known"},
		{name: "the cookie becomes known", cookies: [2]uint64{0, 5}},
		{name: "the same cookie", cookies: [2]uint64{5, 5}, inodes: [2]uint32{7, 7}},
		{name: "another cookie", cookies: [2]uint64{5, 6}, inodes: [2]uint32{7, 7}, other: true},
		{name: "orphaned", inodes: [2]uint32{7, 0}},
		{name: "accepted", inodes: [2]uint32{0, 7}},
		{name: "another inode", inodes: [2]uint32{7, 8}, other: true},
	} {
		if got := Other(c.cookies[0], c.cookies[1], c.inodes[0], c.inodes[1]); got != c.other {
			t.Errorf("%s: another socket is %v, want %v", c.name, got, c.other)
		}
	}
}

func TestSettingsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		s    Settings
		good bool
	}{
		"nothing known":           {Settings{}, true},
		"as usual":                {Settings{Range: PortRange{32768, 60999}, Reserved: []PortRange{{80, 80}, {40000, 40009}}}, true},
		"a range upside down":     {Settings{Range: PortRange{60000, 40000}}, false},
		"a range from 0":          {Settings{Range: PortRange{0, 40000}}, false},
		"reserved ports overlap":  {Settings{Reserved: []PortRange{{1, 9}, {9, 10}}}, false},
		"reserved upside down":    {Settings{Reserved: []PortRange{{9, 1}}}, false},
		"a TIME_WAIT of the past": {Settings{TimeWait: -1}, false},
	} {
		if err := c.s.Validate(); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAddrPortOn(t *testing.T) {
	t.Parallel()
	for want, at := range map[string]struct {
		addr  string
		iface uint32
	}{
		"10.0.0.1:80": {"10.0.0.1", 0}, "10.0.0.1%3:80": {"10.0.0.1", 3}, "[fe80::1]:80": {"fe80::1", 0}, "[fe80::1%12]:80": {"fe80::1", 12},
	} {
		if got := AddrPortOn(AddrFrom(netip.MustParseAddr(at.addr)), at.iface, 80); got != want {
			t.Errorf("%s on %d: %q, want %q", at.addr, at.iface, got, want)
		}
	}
}
