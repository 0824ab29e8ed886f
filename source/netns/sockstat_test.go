package netns

import "testing"

func TestSockstat(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what, file string
		want       sockstat
		ok         bool
	}{
		{"a host", "sockets: used 312\nTCP: inuse 40 orphan 1 tw 17 alloc 90 mem 53\nUDP: inuse 6 mem 2\nUDPLITE: inuse 0\n",
			sockstat{used: 312, inuse: 40, udp: 6, timeWait: 17, alloc: 90}, true},
		{"a count below zero", "sockets: used 3\nTCP: inuse -1 orphan 0 tw 0 alloc 9 mem 0\n", sockstat{used: 3, alloc: 9}, true},
		{"without TCP", "sockets: used 3\n", sockstat{used: 3}, true},
		{"without the number", "sockets: used\n", sockstat{}, false},
		{"too large", "sockets: used 99999999999\n", sockstat{}, false},
		{"nothing", "", sockstat{}, false},
	} {
		if got, ok := parseSockstat([]byte(test.file)); got != test.want || ok != test.ok {
			t.Errorf("%s: %+v, %t, want %+v, %t", test.what, got, ok, test.want, test.ok)
		}
	}
	if got := parseTCP6([]byte("TCP6: inuse 7\nUDP6: inuse 3\n")); got != 7 {
		t.Errorf("%d TCP sockets over IPv6, want 7", got)
	}
}

func FuzzSockstat(f *testing.F) {
	f.Add([]byte("sockets: used 312\nTCP: inuse 40 orphan 1 tw 17 alloc 90 mem 53\nUDP: inuse 6 mem 2\nTCP6: inuse 7\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if s, _ := parseSockstat(file); s.bound() < 0 || parseTCP6(file) < 0 {
			t.Errorf("bound %d of %q", s.bound(), file)
		}
	})
}
