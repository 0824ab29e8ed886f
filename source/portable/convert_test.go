package portable

import (
	"net/netip"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	gnet "github.com/shirou/gopsutil/v3/net"

	"ephtop/source"
)

const (
	v4, v6   = syscall.AF_INET, syscall.AF_INET6
	tcp, udp = syscall.SOCK_STREAM, syscall.SOCK_DGRAM
)

func row(family, kind uint32, local string, localPort uint32, remote string, remotePort uint32, status string, pid int32) gnet.ConnectionStat {
	return gnet.ConnectionStat{
		Family: family, Type: kind, Status: status, Pid: pid,
		Laddr: gnet.Addr{IP: local, Port: localPort}, Raddr: gnet.Addr{IP: remote, Port: remotePort},
	}
}

func addr(s string) source.Addr { return source.AddrFrom(netip.MustParseAddr(s)) }

func TestConvert(t *testing.T) {
	tests := []struct {
		name          string
		row           gnet.ConnectionStat
		local, remote string
		want          source.Socket // but for the addresses
	}{
		{"a connection",
			row(v4, tcp, "10.0.0.9", 41823, "10.0.9.2", 5432, "ESTABLISHED", 7), "10.0.0.9", "10.0.9.2",
			source.Socket{LocalPort: 41823, RemotePort: 5432, Proto: source.TCP, State: source.Established}},
		{"an IPv6 connection",
			row(v6, tcp, "2001:db8::1", 41823, "2001:db8::2", 443, "CLOSE_WAIT", 7), "2001:db8::1", "2001:db8::2",
			source.Socket{LocalPort: 41823, RemotePort: 443, Proto: source.TCP, State: source.CloseWait, Family6: true}},
		{"v4-mapped, as gopsutil writes it on Linux",
			row(v6, tcp, "10.0.0.9", 41823, "10.0.9.2", 443, "ESTABLISHED", 7), "10.0.0.9", "10.0.9.2",
			source.Socket{LocalPort: 41823, RemotePort: 443, Proto: source.TCP, State: source.Established, Family6: true}},
		{"v4-mapped, written out",
			row(v6, tcp, "::ffff:10.0.0.9", 41823, "::ffff:a00:902", 443, "ESTABLISHED", 7), "10.0.0.9", "10.0.9.2",
			source.Socket{LocalPort: 41823, RemotePort: 443, Proto: source.TCP, State: source.Established, Family6: true}},
		{"a TIME_WAIT has no timer",
			row(v4, tcp, "10.0.0.9", 41823, "10.0.9.2", 5432, "TIME_WAIT", 0), "10.0.0.9", "10.0.9.2",
			source.Socket{LocalPort: 41823, RemotePort: 5432, Proto: source.TCP, State: source.TimeWait}},
		{"a listener on Linux",
			row(v6, tcp, "::", 80, "::", 0, "LISTEN", 7), "::", "::",
			source.Socket{LocalPort: 80, Proto: source.TCP, State: source.Listen, Family6: true}},
		{"a listener of lsof",
			row(v4, tcp, "*", 80, "", 0, "LISTEN", 7), "0.0.0.0", "0.0.0.0",
			source.Socket{LocalPort: 80, Proto: source.TCP, State: source.Listen}},
		{"an IPv6 listener of lsof",
			row(v6, tcp, "*", 80, "", 0, "LISTEN", 7), "::", "::",
			source.Socket{LocalPort: 80, Proto: source.TCP, State: source.Listen, Family6: true}},
		{"bound and not connected, of lsof",
			row(v4, tcp, "10.0.0.9", 41823, "", 0, "CLOSED", 7), "10.0.0.9", "0.0.0.0",
			source.Socket{LocalPort: 41823, Proto: source.TCP, State: source.Bound}},
		{"closed, with a peer",
			row(v4, tcp, "10.0.0.9", 41823, "10.0.9.2", 5432, "CLOSED", 7), "10.0.0.9", "10.0.9.2",
			source.Socket{LocalPort: 41823, RemotePort: 5432, Proto: source.TCP, State: source.Close}},
		{"closed, without a port",
			row(v4, tcp, "*", 0, "", 0, "CLOSED", 7), "0.0.0.0", "0.0.0.0",
			source.Socket{Proto: source.TCP, State: source.Close}},
		{"a state of a later time",
			row(v4, tcp, "10.0.0.9", 41823, "10.0.9.2", 5432, "", 7), "10.0.0.9", "10.0.9.2",
			source.Socket{LocalPort: 41823, RemotePort: 5432, Proto: source.TCP, State: source.Unknown}},
		{"UDP on Linux",
			row(v4, udp, "0.0.0.0", 53, "0.0.0.0", 0, "NONE", 7), "0.0.0.0", "0.0.0.0",
			source.Socket{LocalPort: 53, Proto: source.UDP, State: source.Bound}},
		{"UDP on Windows",
			row(v6, udp, "::", 5353, "", 0, "", 7), "::", "::",
			source.Socket{LocalPort: 5353, Proto: source.UDP, State: source.Bound, Family6: true}},
		{"UDP, connected",
			row(v4, udp, "10.0.0.9", 41823, "10.0.9.2", 53, "NONE", 7), "10.0.0.9", "10.0.9.2",
			source.Socket{LocalPort: 41823, RemotePort: 53, Proto: source.UDP, State: source.Established}},
		{"UDP, connected to port 0 of a host",
			row(v4, udp, "10.0.0.9", 41823, "10.0.9.2", 0, "", 7), "10.0.0.9", "10.0.9.2",
			source.Socket{LocalPort: 41823, Proto: source.UDP, State: source.Established}},
		{"a zone is dropped",
			row(v6, tcp, "fe80::1%eth0", 41823, "fe80::2%eth0", 22, "ESTABLISHED", 7), "fe80::1", "fe80::2",
			source.Socket{LocalPort: 41823, RemotePort: 22, Proto: source.TCP, State: source.Established, Family6: true}},
		{"a scope inside the address, as in the BSD family",
			row(v6, tcp, "fe80:4::1", 41823, "fe80:4::2", 22, "ESTABLISHED", 7), "fe80::1", "fe80::2",
			source.Socket{LocalPort: 41823, RemotePort: 22, Proto: source.TCP, State: source.Established, Family6: true, Interface: 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := convert(&tt.row)
			if !ok {
				t.Fatal("the row was refused")
			}
			want := tt.want
			want.Local, want.Remote = addr(tt.local), addr(tt.remote)
			if tt.want.Family6 && tt.local == "::" {
				want.Local = source.Addr{}
			}
			want.Process = source.NoProcess
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestConvertRefuses(t *testing.T) {
	tests := map[string]gnet.ConnectionStat{
		"a local port too high":        row(v4, tcp, "10.0.0.9", 65536, "10.0.9.2", 80, "ESTABLISHED", 7),
		"a remote port too high":       row(v4, tcp, "10.0.0.9", 80, "10.0.9.2", 1<<32-1, "ESTABLISHED", 7),
		"a local address of nonsense":  row(v4, tcp, "?0a0b", 80, "10.0.9.2", 80, "ESTABLISHED", 7),
		"a remote address of nonsense": row(v4, tcp, "10.0.0.9", 80, "host", 80, "ESTABLISHED", 7),
		"a unix socket":                {Family: syscall.AF_UNIX, Type: tcp, Laddr: gnet.Addr{IP: "/run/x"}},
		"neither TCP nor UDP":          row(v4, syscall.SOCK_RAW, "10.0.0.9", 80, "10.0.9.2", 80, "", 7),
	}
	for name, r := range tests {
		t.Run(name, func(t *testing.T) {
			if s, ok := convert(&r); ok {
				t.Errorf("made %v of it", s.Tuple())
			}
		})
	}
}

func TestTCPState(t *testing.T) {
	tests := map[source.State][]string{
		source.Established: {"ESTABLISHED"},
		source.SynSent:     {"SYN_SENT"},
		source.SynRecv:     {"SYN_RECV", "SYN_RECEIVED", "SYN_RCVD", "SYN_RCDV"},
		source.FinWait1:    {"FIN_WAIT1", "FIN_WAIT_1"},
		source.FinWait2:    {"FIN_WAIT2", "FIN_WAIT_2"},
		source.TimeWait:    {"TIME_WAIT"},
		source.Close:       {"CLOSE", "CLOSED", "DELETE", "IDLE"},
		source.CloseWait:   {"CLOSE_WAIT"},
		source.LastAck:     {"LAST_ACK"},
		source.Listen:      {"LISTEN"},
		source.Closing:     {"CLOSING"},
		source.Bound:       {"BOUND"},
		source.Unknown:     {"", "NONE", "NEW_STATE"},
	}
	if len(tests) != source.NumStates {
		t.Errorf("%d states are tested of %d", len(tests), source.NumStates)
	}
	for want, names := range tests {
		for _, name := range names {
			if got := tcpState(name); got != want {
				t.Errorf("%q is %v, want %v", name, got, want)
			}
		}
	}
}

func FuzzConvert(f *testing.F) {
	f.Add("10.0.0.9", uint32(41823), "10.0.9.2", uint32(5432), "ESTABLISHED", true, false)
	f.Add("*", uint32(80), "", uint32(0), "LISTEN", true, true)
	f.Add("fe80:4::1", uint32(1), "fe80::2%eth0", uint32(2), "SYN_RCDV", true, true)
	f.Add("::ffff:1.2.3.4", uint32(65535), "::", uint32(65536), "NONE", false, true)
	f.Fuzz(func(t *testing.T, local string, localPort uint32, remote string, remotePort uint32, status string, stream, six bool) {
		family, kind := uint32(v4), uint32(udp)
		if six {
			family = v6
		}
		if stream {
			kind = tcp
		}
		r := row(family, kind, local, localPort, remote, remotePort, status, 1)
		s, ok := convert(&r)
		if !ok {
			return
		}
		if uint32(s.LocalPort) != localPort || uint32(s.RemotePort) != remotePort {
			t.Errorf("ports %d and %d became %d and %d", localPort, remotePort, s.LocalPort, s.RemotePort)
		}
		if s.Process != source.NoProcess || s.Timer != source.TimerNone || int(s.State) >= source.NumStates {
			t.Errorf("impossible socket %+v", s)
		}
		again := row(family, kind, s.Local.String(), localPort, s.Remote.String(), remotePort, status, 1)
		if s2, ok := convert(&again); !ok || s2.Tuple() != s.Tuple() || s2.State != s.State {
			t.Errorf("%v %v reads back as %v %v", s.Tuple(), s.State, s2.Tuple(), s2.State)
		}
	})
}
