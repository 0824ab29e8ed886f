package sockdiag_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"ephtop/source"
	"ephtop/source/sockdiag"
)

// A dump lists the sockets of the network namespace in which Open was called.
func ExampleDumper_Dump() {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()
	port := netip.MustParseAddrPort(listener.Addr().String()).Port()

	dumper, err := sockdiag.Open()
	if err != nil {
		fmt.Println(err) // a sandbox may refuse netlink
		return
	}
	defer dumper.Close()

	// The slice is for the next dump to use again.
	sockets, report, err := dumper.Dump(context.Background(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if report.Interrupted {
		fmt.Println("sockets came and went meanwhile: one may be missing or there twice")
	}
	for i := range sockets {
		s := &sockets[i]
		if s.State == source.Listen && s.LocalPort == port {
			fmt.Println(s.Proto, s.State, s.Local, s.HasOwner())
		}
	}
	// Output: tcp LISTEN 127.0.0.1 true
}
