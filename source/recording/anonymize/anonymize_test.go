package anonymize_test

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/source/recording/anonymize"
)

func newAnonymizer(t *testing.T) *anonymize.Anonymizer {
	t.Helper()
	a, err := anonymize.NewAnonymizer()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// standIn gives the stand-in of an address.
func standIn(t *testing.T, a *anonymize.Anonymizer, address string) source.Addr {
	t.Helper()
	addr := source.AddrFrom(netip.MustParseAddr(address))
	m := source.Moment{Snapshots: []source.Snapshot{{Sockets: []source.Socket{{Local: addr}}}}}
	if err := a.Apply(&m); err != nil {
		t.Fatal(err)
	}
	return m.Snapshots[0].Sockets[0].Local
}

func TestAnAddressKeepsItsKind(t *testing.T) {
	t.Parallel()
	a := newAnonymizer(t)
	for _, same := range []string{
		"0.0.0.0", "::", "127.0.0.1", "127.0.0.53", "::1", "255.255.255.255", "224.0.0.251", "ff02::fb",
	} {
		if got := standIn(t, a, same).String(); got != same {
			t.Errorf("%s became %s", same, got)
		}
	}
	cases := []struct{ addresses, prefix string }{
		{"10.1.2.3 10.255.0.1", "10."},
		{"172.16.0.1 172.31.255.254", "172."},
		{"192.168.1.10 192.168.1.11", "192.168."},
		{"100.64.3.4 100.127.1.1", "100."},
		{"169.254.169.254", "169.254."},
		{"239.1.2.3 233.252.0.1", "23"},
		{"8.8.8.8 203.0.113.7 198.18.0.1 198.19.255.255 240.0.0.1 ::ffff:9.9.9.9", "198.1"},
		{"fe80::aede:48ff:fe00:1122", "fe80:"},
		{"fd12:3456:789a::1 fc00::7", "fd00:"},
		{"2606:4700::1111 2001:db8::1 64:ff9b::808:808 ::1.2.3.4", "2001:db8:"},
		{"ff02::1:ff00:1122 ff02::1:ff00:1123", "ff02::1:"},
		{"ff05::abcd:1", "ff05::1:"},
	}
	seen := make(map[source.Addr]string)
	for _, c := range cases {
		for _, original := range strings.Fields(c.addresses) {
			got := standIn(t, a, original)
			if !strings.HasPrefix(got.String(), c.prefix) {
				t.Errorf("%s became %s, want one below %s", original, got, c.prefix)
			}
			if other, ok := seen[got]; ok {
				t.Errorf("%s stands for %s and for %s", got, other, original)
			}
			seen[got] = original
			if again := standIn(t, a, original); again != got {
				t.Errorf("%s became %s, then %s", original, got, again)
			}
		}
	}
}

func TestNeighboursStayNeighbours(t *testing.T) {
	t.Parallel()
	a := newAnonymizer(t)
	cases := []struct {
		one, other string
		same       bool
	}{
		{"10.1.2.3", "10.1.2.200", true},
		{"10.1.2.3", "10.1.3.3", false},
		{"8.8.8.8", "8.8.8.4", true},
		{"8.8.8.8", "8.8.4.4", false},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::2", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"fe80::1", "fe80::2", true},
	}
	for _, c := range cases {
		one, other := standIn(t, a, c.one), standIn(t, a, c.other)
		size := 8
		if one.Is4() {
			size = 15
		}
		if got := [16]byte(one) != [16]byte(other) && string(one[:size]) == string(other[:size]); got != c.same {
			t.Errorf("%s and %s became %s and %s", c.one, c.other, one, other)
		}
	}
}

// TestNoTwoAddressesHaveOneStandIn takes more public networks than there are
// stand-ins of the first kind, and a private network to its last address.
func TestNoTwoAddressesHaveOneStandIn(t *testing.T) {
	t.Parallel()
	a := newAnonymizer(t)
	sockets := make([]source.Socket, 200_000)
	for i := range sockets {
		sockets[i].Local = source.Addr4([4]byte{192, 168, byte(i >> 8), byte(i)})
		sockets[i].Remote = source.Addr4([4]byte{9, byte(i >> 16), byte(i >> 8), byte(i)})
	}
	m := source.Moment{Snapshots: []source.Snapshot{{Sockets: sockets}}}
	if err := a.Apply(&m); err != nil {
		t.Fatal(err)
	}
	local, remote := make(map[source.Addr]bool), make(map[source.Addr]bool)
	for i := range sockets {
		local[sockets[i].Local], remote[sockets[i].Remote] = true, true
	}
	if len(local) != 1<<16 || len(remote) != 200_000 {
		t.Errorf("%d local stand-ins, want 65536; %d remote ones, want 200000", len(local), len(remote))
	}
}

func TestMoreNetworksThanStandIns(t *testing.T) {
	t.Parallel()
	a := newAnonymizer(t)
	sockets := make([]source.Socket, 600_000)
	for i := range sockets {
		sockets[i].Local = source.Addr4([4]byte{20 + byte(i>>16), byte(i >> 8), byte(i), 1})
	}
	if err := a.Apply(&source.Moment{Snapshots: []source.Snapshot{{Sockets: sockets}}}); err != anonymize.ErrTooMany {
		t.Errorf("error %v, want %v", err, anonymize.ErrTooMany)
	}
}

func TestEachRunHasOtherStandIns(t *testing.T) {
	t.Parallel()
	seen := make(map[source.Addr]bool)
	for range 20 {
		seen[standIn(t, newAnonymizer(t), "10.1.2.3")] = true
	}
	if len(seen) < 10 {
		t.Errorf("%d stand-ins in 20 runs", len(seen))
	}
}

// secrets sets all texts of a value to one that must not be seen, also those of
// fields that were added after this test was written.
func secrets(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("acme")
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		secrets(v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				secrets(f)
			}
		}
	}
}

func TestNoTextOfTheOriginalIsLeft(t *testing.T) {
	t.Parallel()
	var m source.Moment
	secrets(reflect.ValueOf(&m).Elem())
	if !strings.Contains(fmt.Sprint(m), "acme") {
		t.Fatal("nothing to hide")
	}
	// What names this program's own, or the system.
	m.OS, m.Source, m.Limits[0].Code = "linux", "sockdiag", source.LimitOwners
	if err := newAnonymizer(t).Apply(&m); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v", m); strings.Contains(text, "acme") {
		t.Errorf("a text is left in %s", text)
	}
}

func TestTextsOfAMoment(t *testing.T) {
	t.Parallel()
	m := &source.Moment{
		Host: "db1", Kernel: "5.10.0-1160.el7.x86_64",
		Processes: []source.Process{
			{PID: 1, Name: "init", Command: "/sbin/init", User: "root"},
			{PID: 7, Start: 3, Name: "api", Command: "api --key 1", UID: 1000, User: "alice"},
			{PID: 8, Name: "api", UID: 1001, User: "1001"},
		},
		Snapshots: []source.Snapshot{
			{Scope: source.Scope{Host: "db1", Netns: 5, Kind: source.ScopeHost}},
			{Scope: source.Scope{Host: "db1", Netns: 6, Kind: source.ScopePod, Name: "shop/cart-0"}},
			{Scope: source.Scope{Host: "db2", Netns: 5, Kind: source.ScopePod, Name: "shop/cart-1"}},
		},
		Limits: []source.Limit{{Code: source.LimitHidden, Detail: "12"}, {Code: source.LimitRange, Detail: "open /acme: denied"}},
	}
	shared := m.Limits
	if err := newAnonymizer(t).Apply(m); err != nil {
		t.Fatal(err)
	}
	want := &source.Moment{
		Host: "host-1", Kernel: "5.10.0",
		Processes: []source.Process{
			{PID: 1, Name: "process-1", Command: "process-1 …", User: "root"},
			{PID: 7, Start: 3, Name: "process-2", Command: "process-2 …", UID: 3_000_000_000, User: "user-1"},
			{PID: 8, Name: "process-2", UID: 3_000_000_001, User: strconv.Itoa(3_000_000_001)},
		},
		Snapshots: []source.Snapshot{
			{Scope: source.Scope{Host: "host-1", Netns: 5, Kind: source.ScopeHost}},
			{Scope: source.Scope{Host: "host-1", Netns: 6, Kind: source.ScopePod, Name: "pod-1"}},
			{Scope: source.Scope{Host: "host-2", Netns: 5, Kind: source.ScopePod, Name: "pod-2"}},
		},
		Limits: []source.Limit{{Code: source.LimitHidden, Detail: "12"}, {Code: source.LimitRange}},
	}
	if d := cmp.Diff(want, m); d != "" {
		t.Error(d)
	}
	if shared[1].Detail != "open /acme: denied" {
		t.Error("a list that others share was changed")
	}
}

func TestNamesThatAreKept(t *testing.T) {
	t.Parallel()
	m := &source.Moment{Processes: []source.Process{
		{PID: 1, Name: "nginx", Command: "nginx -c /acme.conf", User: "acme", UID: 7}, {PID: 2, Name: "acme", Command: "acme"}, {PID: 3, Name: "process-1"},
	}}
	a := newAnonymizer(t)
	a.Keep([]string{"nginx", "java", "process-1"})
	if err := a.Apply(m); err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range m.Processes {
		got = append(got, m.Processes[i].Name+"|"+m.Processes[i].Command)
	}
	// A stand-in is no name that is kept.
	if want := []string{"nginx|nginx …", "process-1*|process-1* …", "process-1|"}; !slices.Equal(got, want) {
		t.Errorf("processes %q, want %q", got, want)
	}
	tally := a.Tally()
	if !slices.Equal(tally.Kept, []string{"nginx", "process-1"}) || !slices.Equal(tally.Unseen, []string{"java"}) || tally.Processes != 1 {
		t.Errorf("tally %+v", tally)
	}
}

func TestStandInOfAnOriginal(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("acme", 20)
	m := &source.Moment{Host: long, Processes: []source.Process{{Name: "nginx", User: "nginx", UID: 7}, {Name: "api", User: "root"}}}
	m.Add(source.Scope{}).Sockets = []source.Socket{{Local: source.Addr4([4]byte{127, 0, 0, 1}), Remote: source.Addr4([4]byte{10, 9, 8, 7})}}
	a := newAnonymizer(t)
	a.Keep([]string{"nginx"})
	if err := a.Apply(m); err != nil {
		t.Fatal(err)
	}
	for original, want := range map[string]string{
		long: "host-1", "api": "process-1", "10.9.8.7": m.Snapshots[0].Sockets[0].Remote.String(),
		"nginx": "", "root": "", "127.0.0.1": "", "10.9.8.8": "", "process-1": "", "": "",
	} {
		if got := a.StandIn(original); got != want {
			t.Errorf("%q for %q, want %q", got, original, want)
		}
	}
}

func TestTallyCountsWhatWasReplaced(t *testing.T) {
	t.Parallel()
	addr := func(s string) source.Addr { return source.AddrFrom(netip.MustParseAddr(s)) }
	m := &source.Moment{
		Host:      "db1",
		Processes: []source.Process{{Name: "api", User: "alice", UID: 1000}, {Name: "api", User: "root"}, {Name: "envoy", User: "1001", UID: 1001}},
		Snapshots: []source.Snapshot{
			{Scope: source.Scope{Host: "db1", Kind: source.ScopePod, Name: "shop/cart-0"}, Sockets: []source.Socket{
				{Local: addr("10.0.0.1"), Remote: addr("10.0.0.2")}, {Local: addr("10.0.0.1"), Remote: addr("127.0.0.1")},
			}},
			{Scope: source.Scope{Host: "db1", Kind: source.ScopeNamed, Name: "blue"}},
		},
		Cgroups: []source.Cgroup{{Kind: source.ScopeUnit, Unit: "api.service", Path: "/api"}, {Kind: source.ScopeContainer, Container: "redis"}},
	}
	a := newAnonymizer(t)
	for range 2 { // what is seen again counts once
		if err := a.Apply(m); err != nil {
			t.Fatal(err)
		}
		m.Processes = m.Processes[:0]
		m.Snapshots, m.Cgroups, m.Host = nil, nil, "db1"
	}
	want := anonymize.Tally{Hosts: 1, Addresses: 2, Processes: 2, Users: 2, Pods: 1, Containers: 1, Units: 1, Namespaces: 1}
	if d := cmp.Diff(want, a.Tally()); d != "" {
		t.Error(d)
	}
}

// Who exports a recording twice gets the same twice; who hasn't it all, another one.
func TestStandInsThatAreTheSameAgain(t *testing.T) {
	t.Parallel()
	moment := func(took time.Duration) *source.Moment {
		m := &source.Moment{Time: time.Unix(1795349071, 120), Took: took, Host: "db1", Processes: []source.Process{{PID: 7, Name: "api", User: "alice", UID: 1000}}}
		s := m.Add(source.Scope{Host: "db1"})
		s.Settings.Range = source.PortRange{Low: 32768, High: 60999}
		for i := range 50 {
			m.Room = append(m.Room, source.Socket{Proto: source.TCP, State: source.Established, Process: source.NoProcess,
				Local: source.Addr4([4]byte{10, 0, byte(i), 1}), Remote: source.Addr4([4]byte{192, 0, 2, byte(i)})})
		}
		s.Sockets = m.Room
		return m
	}
	var shown [3]string
	for i, took := range []time.Duration{41_200_311, 41_200_311, 41_200_312} {
		m := moment(took)
		if err := anonymize.NewRepeatable().Apply(m); err != nil {
			t.Fatal(err)
		}
		for j := range m.Room {
			shown[i] += m.Room[j].Local.String() + " " + m.Room[j].Remote.String() + "\n"
		}
	}
	if shown[0] != shown[1] {
		t.Errorf("the second time it is\n%s, the first time\n%s", shown[1], shown[0])
	}
	if shown[0] == shown[2] {
		t.Error("a nanosecond does not count")
	}
}

func TestAMomentThatMakesNoKey(t *testing.T) {
	t.Parallel()
	m := &source.Moment{Time: time.Date(12_000, 1, 1, 0, 0, 0, 0, time.UTC)} // which no recording holds
	if err := anonymize.NewRepeatable().Apply(m); err == nil || !strings.HasPrefix(err.Error(), "make a key of the first moment: ") {
		t.Errorf("error %v", err)
	}
}

// What ephtop itself calls the host's namespace is nobody's name.
func TestTheHostsNamespaceKeepsItsName(t *testing.T) {
	t.Parallel()
	m := &source.Moment{Host: "shop-db"}
	m.Add(source.Scope{Host: "shop-db", Kind: source.ScopeHost, Name: "host"})
	m.Add(source.Scope{Host: "shop-db", Kind: source.ScopeNamed, Name: "host"})
	if err := newAnonymizer(t).Apply(m); err != nil {
		t.Fatal(err)
	}
	if s, named := m.Snapshots[0].Scope, m.Snapshots[1].Scope; s.Name != "host" || s.Host != "host-1" || named.Name == "host" {
		t.Errorf("%+v, %+v", s, named)
	}
}

func TestStandInOfAPartOfAnOriginal(t *testing.T) {
	t.Parallel()
	m := &source.Moment{Host: "shop-db", Processes: []source.Process{{Name: "nginx", User: "nginx", UID: 7}, {Name: "Checkout", User: "root"}}}
	m.Add(source.Scope{}).Sockets = []source.Socket{{Local: source.Addr4([4]byte{127, 0, 0, 1}), Remote: source.Addr4([4]byte{203, 0, 113, 7})}}
	a := newAnonymizer(t)
	a.Keep([]string{"nginx"})
	if err := a.Apply(m); err != nil {
		t.Fatal(err)
	}
	for part, want := range map[string]string{
		"check": "process-1", "shop": "host-1", "203.0.113.0/24": m.Snapshots[0].Sockets[0].Remote.String(),
		"ngi": "", "o": "", "proc": "", "127.0.0.0/8": "", "0.0.0.0/0": "", "192.0.2.0/24": "", "": "",
	} {
		if got := a.StandInOfPart(part); got != want {
			t.Errorf("%q for %q, want %q", got, part, want)
		}
	}
}
