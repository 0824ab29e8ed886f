package procfs

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

const (
	tcpTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0050 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:8235 0100007F:0050 06 00000000:00000000 03:0000150F 00000000     0        0 0 3 0000000000000000
   2: 0100007F:8236 0100007F:0050 01 00000010:00000001 01:00000018 00000002  1000        0 12 1 0000000000000000 20 4 0 10 -1
`
	udp6Table = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  12: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     7        0 9 2 0000000000000000 0
`
)

// The example is a little-endian machine's.
func TestAppendSockets(t *testing.T) {
	t.Parallel()
	home := source.Addr4([4]byte{127, 0, 0, 1})
	want := []source.Socket{
		{Proto: source.TCP, State: source.Listen, Local: home, LocalPort: 80, Remote: source.Addr4([4]byte{}), ReceiveQueue: 3, Inode: 4711, Process: source.NoProcess},
		{Proto: source.TCP, State: source.TimeWait, Local: home, LocalPort: 33333, Remote: home, RemotePort: 80, Timer: source.TimerTimeWait, Expires: 53910, Process: source.NoProcess},
		{Proto: source.TCP, State: source.Established, Local: home, LocalPort: 33334, Remote: home, RemotePort: 80, Timer: source.TimerRetransmit, Expires: 240,
			Retransmits: 2, SendQueue: 16, ReceiveQueue: 1, UID: 1000, Inode: 12, Process: source.NoProcess},
		{Proto: source.UDP, State: source.Bound, Family6: true, Local: source.Addr{15: 1}, LocalPort: 53, UID: 7, Inode: 9, Process: source.NoProcess},
	}
	got := AppendSockets(nil, []byte(tcpTable), source.TCP, false)
	got = AppendSockets(got, []byte(udp6Table), source.UDP, true)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sockets (-want +got):\n%s", diff)
	}
}

func TestLinesThatAreNoSockets(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"", "\n", "0:", "0: 0100007F:0050",
		"0: 0100007F:0050 00000000:0000 0C 0:0 00:0 0 0 0 1", // no such state
		"0: 0100007F:10050 00000000:0000 0A 0:0 00:0 0 0 0 1",
		"0: 0100007:0050 00000000:0000 0A 0:0 00:0 0 0 0 1",
		"0: 010000ZF:0050 00000000:0000 0A 0:0 00:0 0 0 0 1",
	} {
		if got := AppendSockets(nil, []byte(line), source.TCP, false); len(got) != 0 {
			t.Errorf("%q gives %+v, want nothing", line, got)
		}
	}
}

func FuzzAppendSockets(f *testing.F) {
	f.Add([]byte(tcpTable), false)
	f.Add([]byte(udp6Table), true)
	f.Fuzz(func(t *testing.T, file []byte, family6 bool) {
		for _, s := range AppendSockets(nil, file, source.TCP, family6) {
			if s.State == source.Unknown || s.Family6 != family6 || s.State == source.TimeWait && s.Inode != 0 {
				t.Errorf("socket %+v of %q", s, file)
			}
		}
	})
}
