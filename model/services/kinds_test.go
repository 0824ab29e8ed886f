package services

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/source"
)

// socket makes a TCP socket; "" is no peer.
func socket(state source.State, local, remote string) source.Socket {
	s := source.Socket{Proto: source.TCP, State: state, Process: source.NoProcess, Remote: source.Addr4([4]byte{})}
	from := netip.MustParseAddrPort(local)
	s.Local, s.LocalPort = source.AddrFrom(from.Addr()), from.Port()
	if remote != "" {
		to := netip.MustParseAddrPort(remote)
		s.Remote, s.RemotePort = source.AddrFrom(to.Addr()), to.Port()
	}
	return s
}

// stateOf is what the model makes of sockets on a host with the ports from
// 40000 to 40099.
func stateOf(sockets []source.Socket) *model.State {
	var m source.Moment
	snap := m.Add(source.Scope{})
	snap.Sockets, snap.Settings.Range = sockets, source.PortRange{Low: 40000, High: 40099}
	var o model.Overview
	model.NewFleet(model.Options{}).Update(&m, &o)
	return o.States[0]
}

func TestKinds(t *testing.T) {
	t.Parallel()
	udp := func(s source.Socket) source.Socket {
		s.Proto = source.UDP
		return s
	}
	for _, c := range []struct {
		name     string
		sockets  []source.Socket
		tcp, udp []Use
	}{
		{"nothing", nil, nil, nil},
		{"services of one kind are one line, most ports first", []source.Socket{
			socket(source.Established, "10.0.0.1:40000", "10.0.9.2:443"),
			socket(source.Established, "10.0.0.1:40002", "10.0.9.2:5432"),
			socket(source.TimeWait, "10.0.0.1:40004", "10.0.9.3:3306"),
		}, []Use{{Database, 2, 2}, {Web, 1, 1}}, nil},
		{"a port that is used to two destinations is one port, with two sockets", []source.Socket{
			socket(source.Established, "10.0.0.1:40000", "10.0.9.2:443"),
			socket(source.Established, "10.0.0.1:40000", "10.0.9.3:443"),
		}, []Use{{Web, 1, 2}}, nil},
		{"a port that is used to two services of a kind is one port", []source.Socket{
			socket(source.Established, "10.0.0.1:40000", "10.0.9.2:80"),
			socket(source.Established, "10.0.0.1:40000", "10.0.9.2:443"),
			socket(source.TimeWait, "10.0.0.1:40002", "10.0.9.2:8080"),
		}, []Use{{Web, 2, 3}}, nil},
		{"ports that nobody knows", []source.Socket{
			socket(source.Established, "10.0.0.1:40000", "10.0.9.2:7"),
			socket(source.Established, "10.0.0.1:40002", "10.0.9.2:45000"),
		}, []Use{{Unknown, 2, 2}}, nil},
		{"a listener, a bound socket and a server's side use no ephemeral port for a service", []source.Socket{
			socket(source.Listen, "10.0.0.1:40000", ""),
			socket(source.Bound, "10.0.0.1:40001", ""),
			socket(source.Established, "10.0.0.1:443", "10.0.9.2:51000"),
		}, nil, nil},
		{"UDP is apart", []source.Socket{
			udp(socket(source.Established, "10.0.0.1:40000", "10.0.9.2:53")),
			udp(socket(source.Established, "10.0.0.1:40002", "10.0.9.2:123")),
			udp(socket(source.Bound, "10.0.0.1:40003", "")),
			socket(source.Established, "10.0.0.1:40000", "10.0.9.2:22"),
		}, []Use{{SSH, 1, 1}}, []Use{{DNS, 1, 1}, {NTP, 1, 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := stateOf(c.sockets)
			if diff := cmp.Diff(c.tcp, Kinds(st, source.TCP)); diff != "" {
				t.Errorf("TCP (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.udp, Kinds(st, source.UDP)); diff != "" {
				t.Errorf("UDP (-want +got):\n%s", diff)
			}
		})
	}
}
