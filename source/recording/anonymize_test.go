package recording_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/recording"
)

func newAnonymizer(t *testing.T) *recording.Anonymizer {
	t.Helper()
	a, err := recording.NewAnonymizer()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// standIn gives the stand-in of an address.
func standIn(t *testing.T, a *recording.Anonymizer, address string) string {
	t.Helper()
	addr, err := source.ParseAddr(address)
	if err != nil {
		t.Fatal(err)
	}
	s := source.Snapshot{Sockets: []source.Socket{{Local: addr}}}
	if err := a.Apply(&s); err != nil {
		t.Fatal(err)
	}
	return s.Sockets[0].Local.String()
}

func TestAnAddressKeepsItsKind(t *testing.T) {
	a := newAnonymizer(t)
	for _, same := range []string{
		"0.0.0.0", "::", "127.0.0.1", "127.0.0.53", "::1", "255.255.255.255", "224.0.0.251", "ff02::fb",
	} {
		if got := standIn(t, a, same); got != same {
			t.Errorf("%s became %s", same, got)
		}
	}
	cases := []struct {
		addresses string
		prefix    string
	}{
		{"10.1.2.3 10.255.0.1", "10."},
		{"172.16.0.1 172.31.255.254", "172."},
		{"192.168.1.10 192.168.1.11", "192.168."},
		{"100.64.3.4 100.127.1.1", "100."},
		{"169.254.169.254", "169.254."},
		{"239.1.2.3 233.252.0.1", "23"},
		{"8.8.8.8 203.0.113.7 198.18.0.1 198.19.255.255 240.0.0.1", "198.1"},
		{"fe80::aede:48ff:fe00:1122", "fe80::"},
		{"fd12:3456:789a::1 fc00::7", "fd00::"},
		{"2606:4700::1111 2001:db8::1 64:ff9b::808:808 ::1.2.3.4", "2001:db8::"},
		{"ff02::1:ff00:1122 ff05::abcd:1", "ff0"},
	}
	seen := make(map[string]string)
	for _, c := range cases {
		for _, original := range strings.Fields(c.addresses) {
			got := standIn(t, a, original)
			if got == original || !strings.HasPrefix(got, c.prefix) {
				t.Errorf("%s became %s, want another below %s", original, got, c.prefix)
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

// TestNoTwoAddressesHaveOneStandIn takes more public addresses than there are
// stand-ins of the first kind, and a private network to its last address.
func TestNoTwoAddressesHaveOneStandIn(t *testing.T) {
	a := newAnonymizer(t)
	var s source.Snapshot
	for i := range 200_000 {
		s.Sockets = append(s.Sockets, source.Socket{
			Local:  source.Addr4([4]byte{192, 168, byte(i >> 8), byte(i)}),
			Remote: source.Addr4([4]byte{9, byte(i >> 16), byte(i >> 8), byte(i)}),
		})
	}
	if err := a.Apply(&s); err != nil {
		t.Fatal(err)
	}
	local, remote := make(map[source.Addr]bool), make(map[source.Addr]bool)
	for i := range s.Sockets {
		local[s.Sockets[i].Local], remote[s.Sockets[i].Remote] = true, true
	}
	if len(local) != 1<<16 || len(remote) != 200_000 {
		t.Errorf("%d local stand-ins, want 65536; %d remote ones, want 200000", len(local), len(remote))
	}
}

// secretive are moments in which everything that tells who and where is found
// in no other text.
func secretive() []*source.Snapshot {
	list := eventful(hostMoments(21, 120, 12, 70))
	for _, s := range list {
		s.Host, s.Kernel = "zephyr.acme.example", "6.18.5-acmebuild"
		s.Degraded = []string{"3 processes of other users are hidden: ask zephyr", "open /home/acmeuser: denied"}
		for i := range s.Processes {
			secret(&s.Processes[i])
		}
		for i := range s.Sockets {
			k := &s.Sockets[i]
			if k.HasOwner() {
				k.UID = 41234
			}
			if i%5 == 0 {
				k.Remote, k.Family6 = source.Addr{0: 0x26, 1: 0x06, 14: 0x77, 15: byte(k.RemotePort)}, true
			}
		}
		for i := range s.Events {
			secret(&s.Events[i].Process)
		}
	}
	return list
}

func secret(p *source.Process) {
	if strings.HasPrefix(p.Name, "acme") {
		return
	}
	p.Name = "acme" + p.Name
	p.User, p.UID = "acmeuser", 41234
	p.Command = "/opt/acme --token hunter2 " + p.Name
}

func TestNothingOfTheOriginalIsInTheFile(t *testing.T) {
	a := newAnonymizer(t)
	list := secretive()
	originals := make(map[string]bool)
	for _, s := range list {
		for i := range s.Sockets {
			originals[s.Sockets[i].Local.String()], originals[s.Sockets[i].Remote.String()] = true, true
		}
		if err := a.Apply(s); err != nil {
			t.Fatal(err)
		}
	}
	delete(originals, "0.0.0.0")
	// Private stand-ins are drawn from where the originals are: one may by
	// chance be another's original.
	for _, s := range list {
		for i := range s.Sockets {
			delete(originals, s.Sockets[i].Local.String())
			delete(originals, s.Sockets[i].Remote.String())
		}
	}
	if len(originals) < 30 {
		t.Fatalf("only %d addresses to look for", len(originals))
	}
	recorded, _ := record(t, list)
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	text, err := dec.DecodeAll(recorded, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"zephyr", "acme", "hunter2", "service-", "41234", "denied", "example"} {
		if i := bytes.Index(text, []byte(word)); i >= 0 {
			t.Errorf("%q is in the file: %.80s", word, text[max(0, i-40):])
		}
	}
	for address := range originals {
		for _, form := range []string{`"` + address + `:`, `"[` + address + `]:`} {
			if bytes.Contains(text, []byte(form)) {
				t.Errorf("%s is in the file", address)
			}
		}
	}
}

func TestTextsOfAProcess(t *testing.T) {
	a := newAnonymizer(t)
	s := &source.Snapshot{
		Host: "db1", Kernel: "5.10.0-1160.el7.x86_64",
		Processes: []source.Process{
			{PID: 1, Name: "init", Command: "/sbin/init", User: "root"},
			{PID: 7, Start: 3, Name: "api", Command: "api --key 1", UID: 1000, User: "alice"},
			{PID: 8, Name: "api", UID: 1001, User: "1001"},
		},
		Degraded: []string{"2 processes of other users are hidden: run as root", "the port range could not be read (/x)", "x: y"},
	}
	shared := s.Degraded
	if err := a.Apply(s); err != nil {
		t.Fatal(err)
	}
	want := &source.Snapshot{
		Host: "host-1", Kernel: "5.10.0",
		Processes: []source.Process{
			{PID: 1, Name: "process-1", Command: "process-1 …", User: "root"},
			{PID: 7, Start: 3, Name: "process-2", Command: "process-2 …", UID: 3_000_000_000, User: "user-1"},
			{PID: 8, Name: "process-2", UID: 3_000_000_001, User: strconv.Itoa(3_000_000_001)},
		},
		Degraded: []string{
			"2 processes of other users are hidden", "the port range could not be read",
			"something could not be seen (why is left out: it may tell of the host)",
		},
	}
	if d := cmp.Diff(want, s); d != "" {
		t.Error(d)
	}
	if shared[2] != "x: y" {
		t.Error("a list that others share was changed")
	}
}

// TestTheModelSaysTheSame compares the figures of the model before and after.
func TestTheModelSaysTheSame(t *testing.T) {
	before := states(t, &list{moments: secretive()})
	after := states(t, recording.Anonymize(&list{moments: secretive()}, newAnonymizer(t)))
	for i := range before {
		if d := cmp.Diff(figures(before[i]), figures(after[i])); d != "" {
			t.Fatalf("moment %d: %s", i, d)
		}
	}
}

// figures are what the model counts, without names.
func figures(st *model.State) []string {
	count := make(map[string]int)
	note := func(format string, args ...any) { count[fmt.Sprintf(format, args...)]++ }
	note("level %v, churn %d, failures %d", st.Level, len(st.Churn), st.Failures.Count)
	for _, p := range []*model.Protocol{&st.TCP, &st.UDP} {
		pressure := &p.Pressure
		note("in use %d, blocked %d, suspected %d, states %v", pressure.InUse, pressure.Blocked, pressure.Suspected, p.States)
		for _, u := range pressure.Tuples {
			u.TupleKey = model.TupleKey{Port: u.Port}
			note("tuple %+v", u)
		}
		for _, b := range pressure.BindPools {
			note("bind pool %d %d", b.Used, b.Free)
		}
		for g, list := range p.Consumers {
			for _, c := range list {
				note("consumer by %d: %d ports, %d sockets, %v, port %d", g, c.Ports, c.Sockets, c.States, c.Port)
			}
		}
	}
	for _, r := range st.Rows {
		note("row %v %v %v", r.Tier, r.Suspected, r.Since)
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(count)) {
		out = append(out, fmt.Sprint(k, " × ", count[k]))
	}
	return out
}
