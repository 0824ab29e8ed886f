package portable

import (
	"context"
	"net"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"ephtop/source"
)

// find gives the socket with these ends, or nil; a remote of port 0 is that of
// an unconnected socket.
func find(s *source.Moment, proto source.Proto, local, remote net.Addr) *source.Socket {
	localPort, remotePort := portOf(local), portOf(remote)
	for i := range s.Snapshots[0].Sockets {
		k := &s.Snapshots[0].Sockets[i]
		if k.Proto == proto && k.LocalPort == localPort && k.RemotePort == remotePort {
			return k
		}
	}
	return nil
}

func portOf(a net.Addr) uint16 {
	switch a := a.(type) {
	case *net.TCPAddr:
		return uint16(a.Port)
	case *net.UDPAddr:
		return uint16(a.Port)
	}
	return 0
}

// connect makes a connection over loopback, both ends held by this test.
func connect(t *testing.T, l net.Listener, address string) (client, server net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return client, server
}

func TestThisHost(t *testing.T) {
	if runtime.GOOS == "darwin" || runtime.GOOS == "freebsd" {
		if _, err := exec.LookPath("lsof"); err != nil {
			t.Skip("lsof is not installed")
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, server := connect(t, l, l.Addr().String())
	loose, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer loose.Close()
	tied, err := net.Dial("udp", loose.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer tied.Close()

	p := New()
	defer p.Close()
	var s source.Moment
	poll(t, p, &s)
	tests := []struct {
		name          string
		proto         source.Proto
		local, remote net.Addr
		state         source.State
	}{
		{"the listener", source.TCP, l.Addr(), nil, source.Listen},
		{"the client", source.TCP, client.LocalAddr(), client.RemoteAddr(), source.Established},
		{"the server", source.TCP, server.LocalAddr(), server.RemoteAddr(), source.Established},
		{"a UDP socket", source.UDP, loose.LocalAddr(), nil, source.Bound},
		{"a connected UDP socket", source.UDP, tied.LocalAddr(), tied.RemoteAddr(), source.Established},
	}
	for _, tt := range tests {
		k := find(&s, tt.proto, tt.local, tt.remote)
		if k == nil {
			t.Errorf("%s is not among %d sockets", tt.name, len(s.Snapshots[0].Sockets))
			continue
		}
		if k.State != tt.state || k.Local.String() != "127.0.0.1" || k.Family6 {
			t.Errorf("%s: %v %v, family 6: %v, want %v", tt.name, k.Tuple(), k.State, k.Family6, tt.state)
		}
		if k.Process == source.NoProcess || s.Processes[k.Process].PID != int32(os.Getpid()) {
			t.Errorf("%s: process %d, want this one", tt.name, k.Process)
			continue
		}
		own := s.Processes[k.Process]
		if own.Name == "" || own.Command == "" || own.User == "" || own.Start == 0 {
			t.Errorf("%s: this process is %+v", tt.name, own)
		}
	}
	if s.OS != runtime.GOOS || s.Kernel == "" || s.Snapshots[0].Settings.Range.Validate() != nil || s.Took <= 0 {
		t.Errorf("OS %q, kernel %q, range %v, took %v", s.OS, s.Kernel, s.Snapshots[0].Settings.Range, s.Took)
	}
}

func TestMappedAddressesOnThisHost(t *testing.T) {
	l, err := net.Listen("tcp", "[::]:0") // "tcp6" would take no IPv4
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, server := connect(t, l, "127.0.0.1:"+port)
	p := New()
	defer p.Close()
	var s source.Moment
	poll(t, p, &s)
	k := find(&s, source.TCP, server.LocalAddr(), server.RemoteAddr())
	if k == nil || k.Local.String() != "127.0.0.1" || k.Remote.String() != "127.0.0.1" || !k.Family6 {
		t.Errorf("the server's end of a v4-mapped connection is %+v", k)
	}
}

func TestTimeWaitOnThisHost(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only the list of Linux shows TIME_WAIT reliably")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, server := connect(t, l, l.Addr().String())
	local, remote := client.LocalAddr(), client.RemoteAddr()
	if err := client.Close(); err != nil { // who closes first goes to TIME_WAIT
		t.Fatal(err)
	}
	if _, err := server.Read(make([]byte, 1)); err == nil {
		t.Fatal("read from a closed connection")
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	p := New()
	defer p.Close()
	var s source.Moment
	poll(t, p, &s)
	k := find(&s, source.TCP, local, remote)
	if k == nil || k.State != source.TimeWait {
		t.Fatalf("the closed client is %+v, want it in TIME_WAIT", k)
	}
	if k.Process != source.NoProcess || k.Timer != source.TimerNone || k.HasOwner() {
		t.Errorf("TIME_WAIT with more than can be known: %+v", k)
	}
}

func TestDescribeAProcessThatHasGone(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^$")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if got, ok := newDescriber().describe(context.Background(), int32(cmd.Process.Pid)); ok {
		t.Errorf("a process that has ended is %+v", got)
	}
}
