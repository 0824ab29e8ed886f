package model

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/model/services"
	"ephtop/source"
)

func TestKinds(t *testing.T) {
	udp := func(s source.Socket) source.Socket {
		return with(s, func(s *source.Socket) { s.Proto = source.UDP })
	}
	for _, c := range []struct {
		name     string
		sockets  []source.Socket
		tcp, udp []KindUse
	}{
		{"nothing", nil, nil, nil},
		{"services of one kind are one line, most ports first", []source.Socket{
			socket(source.Established, "10.0.0.1:40000", "10.0.9.2:443"),
			socket(source.Established, "10.0.0.1:40002", "10.0.9.2:5432"),
			socket(source.TimeWait, "10.0.0.1:40004", "10.0.9.3:3306"),
		}, []KindUse{{services.Database, 2, 2}, {services.Web, 1, 1}}, nil},
		{"a port that is used to two destinations is one port, with two sockets", []source.Socket{
			socket(source.Established, "10.0.0.1:40000", "10.0.9.2:443"),
			socket(source.Established, "10.0.0.1:40000", "10.0.9.3:443"),
		}, []KindUse{{services.Web, 1, 2}}, nil},
		{"ports that nobody knows", []source.Socket{
			socket(source.Established, "10.0.0.1:40000", "10.0.9.2:7"),
			socket(source.Established, "10.0.0.1:40002", "10.0.9.2:45000"),
		}, []KindUse{{services.Unknown, 2, 2}}, nil},
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
		}, []KindUse{{services.SSH, 1, 1}}, []KindUse{{services.DNS, 1, 1}, {services.NTP, 1, 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := update(moment(0, c.sockets...))
			if diff := cmp.Diff(c.tcp, st.Kinds(source.TCP)); diff != "" {
				t.Errorf("TCP (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.udp, st.Kinds(source.UDP)); diff != "" {
				t.Errorf("UDP (-want +got):\n%s", diff)
			}
		})
	}
}
