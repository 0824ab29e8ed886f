package conntrack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ephtop/source"
	"ephtop/source/netlink"
)

// What Linux 6.18 answered: two entries, the counters of two processors, and the
// generation of rules that were changed twice.
const (
	entriesFile    = "testdata/entries.bin"
	countersFile   = "testdata/counters.bin"
	generationFile = "testdata/generation.bin"
)

// datagram reads an answer of the kernel, which is of a little-endian machine.
func datagram(t testing.TB, name string) ([]byte, uint32) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the answer is of a little-endian machine")
	}
	return b, binary.NativeEndian.Uint32(b[8:])
}

func TestDecode(t *testing.T) {
	t.Parallel()
	b, seq := datagram(t, entriesFile)
	var got []flow
	done, err := decode(b, seq, func(f *flow) { got = append(got, *f) })
	if err != nil || done {
		t.Errorf("done %t, %v", done, err)
	}
	addr := func(a, b, c, d byte) source.Addr { return source.Addr4([4]byte{a, b, c, d}) }
	want := []flow{{
		original: source.Tuple{Local: addr(10, 1, 1, 1), LocalPort: 40000, Remote: addr(10, 2, 2, 2), RemotePort: 53, Proto: source.UDP},
		reply:    source.Tuple{Local: addr(10, 2, 2, 2), LocalPort: 53, Remote: addr(203, 0, 113, 7), RemotePort: 1024, Proto: source.UDP},
		status:   0x19e,
	}, {
		original: source.Tuple{Local: addr(10, 91, 0, 2), LocalPort: 59244, Remote: addr(10, 92, 0, 2), RemotePort: 443, Proto: source.TCP},
		reply:    source.Tuple{Local: addr(10, 92, 0, 2), LocalPort: 443, Remote: addr(10, 92, 0, 1), RemotePort: 40019, Proto: source.TCP},
		status:   0x19e, tcpState: 3,
	}}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if done, err := decode(b, seq+1, func(*flow) { t.Error("an entry of another dump") }); done || err != nil {
		t.Errorf("done %t, %v", done, err)
	}
}

func TestCounters(t *testing.T) {
	t.Parallel()
	b, seq := datagram(t, countersFile)
	for at := 0; ; { // each counter its own number
		i := bytes.Index(b[at:], []byte{8, 0, attrDrop, 0})
		if i < 0 {
			break
		}
		b[at+i+7], b[at+i-1], b[at+i+15] = 5, 4, 6 // drop, insert_failed before it, early_drop behind
		at += i + 8
	}
	var c source.NATCounters
	_, err := each(b, seq, typeCPU, func(body []byte) error { return addCounters(&c, body) })
	if want := (source.NATCounters{Drop: 10, InsertFailed: 8, EarlyDrop: 12}); err != nil || c != want {
		t.Errorf("%+v, %v, want %+v", c, err, want)
	}
}

func TestGeneration(t *testing.T) {
	t.Parallel()
	b, seq := datagram(t, generationFile)
	if got, err := decodeGeneration(b, seq); got != 3 || err != nil {
		t.Errorf("%d, %v, want 3", got, err)
	}
	if got, err := decodeGeneration(b, seq+1); got != 0 || err != nil {
		t.Errorf("the answer to another question: %d, %v", got, err)
	}
	for _, c := range []struct {
		says  string
		at    int
		value byte
	}{{"message type 2574", 4, 14}, {"attribute of 99 bytes", 20, 99}, {"no generation", 27, 0}, {"no generation", 22, 9}} {
		bad := slices.Clone(b)
		bad[c.at] = c.value
		if _, err := decodeGeneration(bad, seq); !errors.Is(err, netlink.ErrMalformed) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want %s", err, c.says)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const seq = 7
	message := func(kind uint16, body ...byte) []byte {
		return append(netlink.AppendHeader(nil, netlink.HeaderLen+len(body), kind, 0, seq), body...)
	}
	errno := func(n int32) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(n)) }
	entry := func(attrs ...byte) []byte { return message(typeNew, append([]byte{2, 0, 0, 0}, attrs...)...) }
	for _, c := range []struct {
		name string
		b    []byte
		done bool
		is   error
		says string
	}{
		{"the end", message(netlink.Done, errno(0)...), true, nil, ""},
		{"nothing to say", message(netlink.Noop), false, nil, ""},
		{"without rights", message(netlink.Error, errno(-int32(syscall.EPERM))...), false, syscall.EPERM, ""},
		{"another type", message(99), false, netlink.ErrMalformed, "message type 99"},
		{"no family", message(typeNew, 2, 0), false, netlink.ErrMalformed, "entry of 2 bytes"},
		{"an attribute cut short", entry(8, 0, 3, 0, 1), false, netlink.ErrMalformed, "attribute of 8 bytes in 5"},
		{"a tuple cut short", entry(8, 0, 1, 0x80, 9, 0, 1, 0), false, netlink.ErrMalformed, "attribute of 9 bytes in 4"},
		{"an address cut short", entry(12, 0, 1, 0x80, 8, 0, 1, 0x80, 7, 0, 1, 0), false, netlink.ErrMalformed, "attribute of 7 bytes in 4"},
		{"a state cut short", entry(12, 0, 4, 0x80, 8, 0, 1, 0x80, 7, 0, 1, 0), false, netlink.ErrMalformed, "attribute of 7 bytes in 4"},
		{"nothing in it", entry(), false, nil, ""},
	} {
		done, err := decode(c.b, seq, func(*flow) {})
		if done != c.done || !errors.Is(err, c.is) || c.says != "" && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: done %t, %v", c.name, done, err)
		}
	}
}

// FuzzDecode has no answer of a kernel crash us, or give pools that can't be.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{entriesFile, countersFile, generationFile} {
		b, seq := datagram(f, name)
		f.Add(b, seq)
		f.Add(b[:len(b)-3], seq)
	}
	f.Fuzz(func(t *testing.T, b []byte, seq uint32) {
		var counted tally
		counted.reset()
		n := 0
		decode(b, seq, func(f *flow) {
			n++
			counted.add(f)
		})
		if counted.seen != n || n > len(b)/netlink.HeaderLen {
			t.Errorf("%d entries of %d bytes, %d counted", n, len(b), counted.seen)
		}
		for _, rules := range [][]rule{nil, parseRules([]source.SNATRule{{}, {Ports: source.PortRange{Low: 40000, High: 50000}}})} {
			used := 0
			for _, p := range counted.give(n, rules) {
				if used += p.Used; p.Used < 1 || p.Evictable > p.Used || p.Unreplied > p.Used || len(p.Flows) > p.Used || p.Loss < 0 || p.Loss > 1 {
					t.Errorf("%+v", p)
				}
			}
			if used > n {
				t.Errorf("%d ports of %d entries", used, n)
			}
		}
		var c source.NATCounters
		each(b, seq, typeCPU, func(body []byte) error { return addCounters(&c, body) })
		if generation, err := decodeGeneration(b, seq); generation != 0 && err == nil && !bytes.Contains(b, binary.BigEndian.AppendUint32(nil, generation)) {
			t.Errorf("generation %d of %x", generation, b)
		}
	})
}
