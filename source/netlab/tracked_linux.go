package netlab

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"ephtop/source/netlink"
)

// Tracked is a connection that a host tracks though no packet of it ever came.
type Tracked struct {
	From, To netip.AddrPort // of IPv4
	As       netip.AddrPort // what From is translated to, not valid for nothing
	State    uint8          // of TCP, as enum tcp_conntrack has them; 3 is ESTABLISHED
	UDP      bool
}

// Track makes entries of connection tracking, by ctnetlink: a hundred thousand in
// half a second. They last an hour at the most. It needs nf_conntrack_netlink.
func (h *Host) Track(list []Tracked) {
	h.t.Helper()
	var conn netlink.Conn
	h.Must(func() (err error) { conn, err = netlink.Dial(unix.NETLINK_NETFILTER); return err })
	defer conn.Close()
	const batch = 100
	for len(list) > 0 {
		n := min(batch, len(list))
		var b []byte
		for i := range list[:n] {
			b = appendTracked(b, &list[i], i == n-1)
		}
		list = list[n:]
		if err := conn.Send(b); err != nil {
			h.t.Fatal(err)
		}
		if err := acknowledged(conn); err != nil {
			h.t.Fatal(err)
		}
	}
}

// acknowledged waits for the answer to the last of a batch, or of the first that
// was refused.
func acknowledged(conn netlink.Conn) error {
	b := make([]byte, netlink.BufferSize)
	n, err := conn.Receive(context.Background(), b)
	if err != nil {
		return err
	}
	m, _, err := netlink.Next(b[:n])
	if err != nil {
		return err
	}
	if errno := netlink.Errno(m.Body); errno != nil {
		return fmt.Errorf("make an entry of connection tracking: %w", errno)
	}
	return nil
}

// appendTracked appends an IPCTNL_MSG_CT_NEW (linux/netfilter/nfnetlink_conntrack.h).
func appendTracked(b []byte, f *Tracked, last bool) []byte {
	proto := uint8(unix.IPPROTO_TCP)
	if f.UDP {
		proto = unix.IPPROTO_UDP
	}
	flags := uint16(unix.NLM_F_REQUEST | unix.NLM_F_CREATE | unix.NLM_F_EXCL)
	if last {
		flags |= unix.NLM_F_ACK
	}
	at := len(b)
	b = netlink.AppendHeader(b, 0, 1<<8, flags, 1)
	b = append(b, unix.AF_INET, 0, 0, 0)
	tuple := func(b []byte, source, destination netip.AddrPort) []byte {
		b = nest(b, 1, func(b []byte) []byte {
			return attr(attr(b, 1, source.Addr().AsSlice()), 2, destination.Addr().AsSlice())
		})
		return nest(b, 2, func(b []byte) []byte {
			return attr(attr(attr(b, 1, []byte{proto}), 2, port(source)), 3, port(destination))
		})
	}
	b = nest(b, 1, func(b []byte) []byte { return tuple(b, f.From, f.To) })
	b = nest(b, 2, func(b []byte) []byte { return tuple(b, f.To, f.From) })
	b = attr(b, 7, []byte{0, 0, 14, 16})                // CTA_TIMEOUT: an hour
	b = attr(b, 3, []byte{0, 0, 0, 1<<1 | 1<<2 | 1<<3}) // CTA_STATUS: IPS_SEEN_REPLY, IPS_ASSURED, IPS_CONFIRMED
	if !f.UDP {
		b = nest(b, 4, func(b []byte) []byte { return nest(b, 1, func(b []byte) []byte { return attr(b, 1, []byte{f.State}) }) })
	}
	if f.As.IsValid() {
		b = nest(b, 6, func(b []byte) []byte { // CTA_NAT_SRC
			b = attr(b, 1, f.As.Addr().AsSlice())
			return nest(b, 3, func(b []byte) []byte { return attr(attr(b, 1, port(f.As)), 2, port(f.As)) })
		})
	}
	binary.NativeEndian.PutUint32(b[at:], uint32(len(b)-at))
	return b
}

func port(a netip.AddrPort) []byte { return binary.BigEndian.AppendUint16(nil, a.Port()) }

// attr appends an attribute.
func attr(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(netlink.AttrHeaderLen+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
	return append(b, make([]byte, netlink.Align(len(value))-len(value))...)
}

// nest appends an attribute of attributes.
func nest(b []byte, kind uint16, inner func([]byte) []byte) []byte {
	return attr(b, kind|unix.NLA_F_NESTED, inner(nil))
}
