package sockdiag

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
	"ephtop/source/netlink"
)

// The files in testdata are what Linux 6.18 on x86-64 replied to the three
// requests of a Dumper in a network namespace with a few sockets in it; the
// datagrams stand one after the other. What is wanted of them was read beside
// it from ss -tunaHOeo, and from the bytes by hand.

// captured reads a reply from testdata, and the sequence number in it.
func captured(t testing.TB, name string) ([]byte, uint32) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the reply was captured on a little-endian machine")
	}
	return b, binary.NativeEndian.Uint32(b[8:])
}

// between completes a wanted socket with its ends.
func between(local, remote string, s source.Socket) source.Socket {
	l, r := netip.MustParseAddrPort(local), netip.MustParseAddrPort(remote)
	s.Local, s.LocalPort = source.AddrFrom(l.Addr()), l.Port()
	s.Remote, s.RemotePort = source.AddrFrom(r.Addr()), r.Port()
	s.Process = source.NoProcess
	return s
}

func TestDecodeCapturedTCP(t *testing.T) {
	t.Parallel()
	b, seq := captured(t, "tcp.bin")
	got, p, err := decode(nil, b, source.TCP, seq)
	if err != nil || !p.done || p.interrupted {
		t.Errorf("progress %+v, error %v, want done and no error", p, err)
	}
	const tcp = source.TCP
	want := []source.Socket{
		between("127.0.0.1:80", "0.0.0.0:0", source.Socket{Proto: tcp, State: source.Listen,
			Cookie: 0x92e2, SendQueue: 128, Inode: 2933403, Cgroup: 1}),
		between("[::]:8080", "[::]:0", source.Socket{Proto: tcp, State: source.Listen, Family6: true,
			Cookie: 0x92e3, ReceiveQueue: 1, SendQueue: 64, Inode: 2933404, Cgroup: 1}),
		// A backlog of 0 lets one connection wait.
		between("127.0.0.2:81", "0.0.0.0:0", source.Socket{Proto: tcp, State: source.Listen,
			Cookie: 0x92e4, ReceiveQueue: 1, Inode: 2933414, Cgroup: 1}),
		between("127.0.0.3:40008", "0.0.0.0:0", source.Socket{Proto: tcp, State: source.Bound,
			Cookie: 0x92e5, UID: 1003, Inode: 2933417, Cgroup: 1}),
		// The FIN counts as one byte to read.
		between("[::1]:8080", "[::1]:40004", source.Socket{Proto: tcp, State: source.CloseWait, Family6: true,
			Cookie: 0x92e6, ReceiveQueue: 1, Inode: 2933412, Cgroup: 1}),
		// Not accepted yet.
		between("127.0.0.2:81", "127.0.0.1:40006", source.Socket{Proto: tcp, State: source.Established,
			Cookie: 0x92e7, Cgroup: 1}),
		between("127.0.0.1:40006", "127.0.0.2:81", source.Socket{Proto: tcp, State: source.Established,
			Cookie: 0x92e8, UID: 1001, Inode: 2933415, Cgroup: 1}),
		between("127.0.0.1:40034", "127.0.0.2:81", source.Socket{Proto: tcp, State: source.SynSent,
			Timer: source.TimerRetransmit, Retransmits: 1, Expires: 828,
			Cookie: 0x92e9, SendQueue: 1, UID: 1002, Inode: 2933416, Cgroup: 1}),
		between("[::1]:40004", "[::1]:8080", source.Socket{Proto: tcp, State: source.FinWait2, Family6: true,
			Cookie: 0x92ea, Inode: 2933411, Cgroup: 1}),
		between("[::ffff:127.0.0.1]:40005", "127.0.0.1:8080", source.Socket{Proto: tcp, State: source.Established, Family6: true,
			Cookie: 0x92eb, Inode: 2933413, Cgroup: 1}),
		between("127.0.0.1:40001", "127.0.0.1:80", source.Socket{Proto: tcp, State: source.Established,
			Timer: source.TimerKeepalive, Expires: 7198796, Cookie: 0x92ec, UID: 1000, Inode: 2933405, Cgroup: 1}),
		between("127.0.0.1:40002", "127.0.0.1:80", source.Socket{Proto: tcp, State: source.TimeWait,
			Timer: source.TimerTimeWait, Expires: 58796, Cookie: 0x92ed}),
		// An orphan in FIN_WAIT2 is a timewait minisock too.
		between("127.0.0.1:40003", "127.0.0.1:80", source.Socket{Proto: tcp, State: source.FinWait2,
			Timer: source.TimerTimeWait, Expires: 58800, Cookie: 0x92ee}),
		between("127.0.0.1:80", "127.0.0.1:40003", source.Socket{Proto: tcp, State: source.CloseWait,
			Cookie: 0x92ef, ReceiveQueue: 1, UID: 34, Inode: 2933410, Cgroup: 1}),
		between("127.0.0.1:80", "127.0.0.1:40001", source.Socket{Proto: tcp, State: source.Established,
			Cookie: 0x92f0, ReceiveQueue: 5, UID: 33, Inode: 2933406, Cgroup: 1}),
		between("127.0.0.1:8080", "127.0.0.1:40005", source.Socket{Proto: tcp, State: source.Established, Family6: true,
			Cookie: 0x92f1, Cgroup: 1}),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sockets (-want +got):\n%s", diff)
	}
}

func TestDecodeCapturedUDP(t *testing.T) {
	t.Parallel()
	const udp = source.UDP
	tests := []struct {
		file string
		want []source.Socket
	}{
		{"udp4.bin", []source.Socket{
			// Bound to the interface lo, with one datagram to read.
			between("127.0.0.1:40010", "0.0.0.0:0", source.Socket{Proto: udp, State: source.Bound,
				Interface: 1, Cookie: 0x92f2, ReceiveQueue: 832, UID: 1004, Inode: 2933418, Cgroup: 1}),
			between("0.0.0.0:40013", "0.0.0.0:0", source.Socket{Proto: udp, State: source.Bound,
				Cookie: 0x92f3, Inode: 2933422, Cgroup: 1}),
			between("127.0.0.1:40075", "127.0.0.1:53", source.Socket{Proto: udp, State: source.Established,
				Cookie: 0x92f4, Inode: 2933419, Cgroup: 1}),
			between("0.0.0.0:40077", "0.0.0.0:0", source.Socket{Proto: udp, State: source.Bound,
				Cookie: 0x92f5, Inode: 2933423, Cgroup: 1}),
		}},
		{"udp6.bin", []source.Socket{
			between("[::]:40011", "[::]:0", source.Socket{Proto: udp, State: source.Bound, Family6: true,
				Cookie: 0x92f6, Inode: 2933420, Cgroup: 1}),
			between("[::1]:40012", "[::1]:53", source.Socket{Proto: udp, State: source.Established, Family6: true,
				Cookie: 0x92f7, Inode: 2933421, Cgroup: 1}),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			b, seq := captured(t, tt.file)
			got, p, err := decode(nil, b, udp, seq)
			if err != nil || !p.done || p.interrupted {
				t.Errorf("progress %+v, error %v, want done and no error", p, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("sockets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	b, seq := captured(t, "udp6.bin")
	there := source.Socket{LocalPort: 7}
	got, _, err := decode([]source.Socket{there}, b, source.UDP, seq)
	if err != nil || len(got) != 3 || got[0] != there {
		t.Errorf("got %d rows, the first %+v, %v; want it unchanged before 2 more", len(got), got[0], err)
	}
}

// message builds a netlink message of this test's sequence number.
func message(kind, flags uint16, body []byte) []byte {
	return messageSeq(testSeq, kind, flags, body)
}

const testSeq = 7

func messageSeq(seq uint32, kind, flags uint16, body []byte) []byte {
	var b []byte
	b = binary.NativeEndian.AppendUint32(b, uint32(netlink.HeaderLen+len(body)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = binary.NativeEndian.AppendUint32(b, seq)
	b = binary.NativeEndian.AppendUint32(b, 0)
	b = append(b, body...)
	return append(b, make([]byte, netlink.Align(len(b))-len(b))...)
}

// row is a struct inet_diag_msg of an established connection from a local port,
// followed by attributes.
func row(family uint8, port uint16, attrs ...byte) []byte {
	b := make([]byte, rowLen)
	b[0], b[1] = family, 1
	binary.BigEndian.PutUint16(b[4:], port)
	return append(b, attrs...)
}

func attr(length, kind uint16, value ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, length)
	return append(binary.NativeEndian.AppendUint16(b, kind), value...)
}

func errno(e int32) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(e)) }

func TestDecodeMessages(t *testing.T) {
	t.Parallel()
	good := message(typeByFamily, 0, row(afInet, 1))
	done := message(netlink.Done, 0, errno(0))
	withLength := func(n uint32) []byte {
		b := bytes.Clone(good)
		binary.NativeEndian.PutUint32(b, n)
		return b
	}
	tests := []struct {
		name  string
		b     []byte
		rows  int
		want  progress
		err   error  // matched with errors.Is
		about string // in the error's text
	}{
		{"nothing", nil, 0, progress{}, nil, ""},
		{"a row", good, 1, progress{}, nil, ""},
		{"rows and the end", join(good, good, done), 2, progress{done: true}, nil, ""},
		{"nothing is read after the end", join(done, good), 0, progress{done: true}, nil, ""},
		{"an end without a result", message(netlink.Done, 0, nil), 0, progress{done: true}, nil, ""},
		{"noop", join(message(netlink.Noop, 0, nil), good), 1, progress{}, nil, ""},
		{"interrupted at a row", join(message(typeTCPGetSock, netlink.DumpInterrupted, row(afInet, 1)), done), 1, progress{true, true}, nil, ""},
		{"interrupted at the end", join(good, message(netlink.Done, netlink.DumpInterrupted, errno(0))), 1, progress{true, true}, nil, ""},
		{"overrun", join(message(netlink.Overrun, 0, nil), done), 0, progress{true, true}, nil, ""},

		{"another dump's row", join(messageSeq(6, typeByFamily, 0, row(afInet, 1)), good), 1, progress{}, nil, ""},
		{"another dump's end", join(messageSeq(6, netlink.Done, 0, errno(0)), good), 1, progress{}, nil, ""},
		{"another dump's error", join(messageSeq(6, netlink.Error, 0, errno(-1)), good), 1, progress{}, nil, ""},
		{"another dump's interruption", join(messageSeq(6, typeByFamily, netlink.DumpInterrupted, row(afInet, 1)), good), 1, progress{}, nil, ""},
		{"another dump's nonsense", join(messageSeq(6, 99, 0, []byte{1}), good), 1, progress{}, nil, ""},

		{"refused", message(netlink.Error, 0, errno(-int32(syscall.EPERM))), 0, progress{}, syscall.EPERM, ""},
		{"unknown to the kernel", message(netlink.Error, 0, errno(-int32(syscall.ENOENT))), 0, progress{}, syscall.ENOENT, ""},
		{"failed at the end", join(good, message(netlink.Done, 0, errno(-int32(syscall.EINVAL)))), 1, progress{done: true}, syscall.EINVAL, ""},

		{"error without an error", message(netlink.Error, 0, errno(0)), 0, progress{}, netlink.ErrMalformed, "without an error"},
		{"error with a positive errno", message(netlink.Error, 0, errno(1)), 0, progress{}, netlink.ErrMalformed, "without an error"},
		{"error cut short", message(netlink.Error, 0, []byte{1, 2, 3}), 0, progress{}, netlink.ErrMalformed, "error message of 3 bytes"},
		{"header cut short", join(good, good[:15]), 1, progress{}, netlink.ErrMalformed, "15 bytes where a message header"},
		{"length of 0", withLength(0), 0, progress{}, netlink.ErrMalformed, "message of 0 bytes in 88"},
		{"length below the header", withLength(15), 0, progress{}, netlink.ErrMalformed, "message of 15 bytes in 88"},
		{"length beyond the datagram", withLength(89), 0, progress{}, netlink.ErrMalformed, "message of 89 bytes in 88"},
		{"length of 4 GB", withLength(1<<32 - 1), 0, progress{}, netlink.ErrMalformed, "message of 4294967295 bytes in 88"},
		{"row cut short", join(good, message(typeByFamily, 0, row(afInet, 1)[:71])), 1, progress{}, netlink.ErrMalformed, "socket of 71 bytes, want 72"},
		{"empty row", message(typeTCPGetSock, 0, nil), 0, progress{}, netlink.ErrMalformed, "socket of 0 bytes, want 72"},
		{"unknown family", message(typeByFamily, 0, row(1, 1)), 0, progress{}, netlink.ErrMalformed, "address family 1"},
		{"unknown type", message(99, 0, nil), 0, progress{}, netlink.ErrMalformed, "message type 99"},

		{"unknown attribute", message(typeByFamily, 0, row(afInet, 1, attr(8, 999, 1, 2, 3, 4)...)), 1, progress{}, nil, ""},
		{"attribute without padding at the end", message(typeByFamily, 0, row(afInet, 1, attr(5, 8, 1)...)), 1, progress{}, nil, ""},
		{"padding after the attributes", message(typeByFamily, 0, row(afInet, 1, 0, 0, 0)), 1, progress{}, nil, ""},
		{"cgroup attribute too short", message(typeByFamily, 0, row(afInet, 1, attr(8, attrCgroupID, 1, 2, 3, 4)...)), 1, progress{}, nil, ""},
		{"attribute of length 0", message(typeByFamily, 0, row(afInet, 1, attr(0, 8)...)), 0, progress{}, netlink.ErrMalformed, "attribute of 0 bytes in 4"},
		{"attribute cut short", message(typeByFamily, 0, row(afInet, 1, attr(12, attrCgroupID, 1, 2, 3, 4)...)), 0, progress{}, netlink.ErrMalformed, "attribute of 12 bytes in 8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, p, err := decode(nil, tt.b, source.UDP, testSeq)
			if len(rows) != tt.rows || p != tt.want {
				t.Errorf("%d rows and %+v, want %d and %+v", len(rows), p, tt.rows, tt.want)
			}
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if tt.about != "" && (err == nil || !strings.Contains(err.Error(), tt.about)) {
				t.Errorf("error %v, want it to say %q", err, tt.about)
			}
		})
	}
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestDecodeStates(t *testing.T) {
	t.Parallel()
	want := map[uint8]source.State{
		0: source.Unknown, 1: source.Established, 2: source.SynSent, 3: source.SynRecv, 4: source.FinWait1,
		5: source.FinWait2, 6: source.TimeWait, 7: source.Bound, 8: source.CloseWait, 9: source.LastAck,
		10: source.Listen, 11: source.Closing, 12: source.SynRecv, 13: source.Bound, 14: source.Unknown, 255: source.Unknown,
	}
	for kernel, state := range want {
		body := row(afInet, 1)
		body[1] = kernel
		rows, _, err := decode(nil, message(typeByFamily, 0, body), source.TCP, testSeq)
		if err != nil || len(rows) != 1 || rows[0].State != state {
			t.Errorf("state %d decodes to %v, %v, want %v", kernel, rows, err, state)
		}
	}
}

// A timewait minisock has no owner, whatever the kernel fills in.
func TestDecodeTimeWaitHasNoOwner(t *testing.T) {
	t.Parallel()
	body := row(afInet6, 1)
	body[1], body[2] = 5, uint8(source.TimerTimeWait)
	binary.NativeEndian.PutUint32(body[64:], 1000)
	binary.NativeEndian.PutUint32(body[68:], 4711)
	rows, _, err := decode(nil, message(typeByFamily, 0, body), source.TCP, testSeq)
	if err != nil || len(rows) != 1 || rows[0].UID != 0 || rows[0].Inode != 0 {
		t.Errorf("got %+v, %v, want one row without uid and inode", rows, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"tcp.bin", "udp4.bin", "udp6.bin"} {
		b, seq := captured(f, name)
		f.Add(b, seq)
		f.Add(b[:len(b)/2], seq)
	}
	f.Add(message(netlink.Error, 0, errno(-1)), uint32(testSeq))
	f.Add(message(typeByFamily, netlink.DumpInterrupted, row(afInet, 1, attr(12, attrCgroupID, make([]byte, 8)...)...)), uint32(testSeq))
	f.Fuzz(func(t *testing.T, b []byte, seq uint32) {
		there := source.Socket{LocalPort: 7}
		before := bytes.Clone(b)
		rows, _, _ := decode([]source.Socket{there}, b, source.TCP, seq)
		if !bytes.Equal(b, before) {
			t.Error("the datagram was changed")
		}
		if rows[0] != there {
			t.Errorf("the row before became %+v", rows[0])
		}
		if most := len(b) / (netlink.HeaderLen + rowLen); len(rows)-1 > most {
			t.Errorf("%d rows out of %d bytes, where %d fit", len(rows)-1, len(b), most)
		}
		for _, s := range rows[1:] {
			if s.State >= source.NumStates || s.Proto != source.TCP || s.Process != source.NoProcess {
				t.Errorf("state %d, protocol %d, process %d", s.State, s.Proto, s.Process)
			}
			if !s.Family6 && (!s.Local.Is4() || !s.Remote.Is4()) {
				t.Errorf("an IPv4 socket between %v and %v", s.Local, s.Remote)
			}
		}
	})
}
