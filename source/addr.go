package source

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
)

// Addr is an IP address in 16 bytes, with IPv4 in its v4-mapped form
// (::ffff:a.b.c.d). The kernel lets v4-mapped IPv6 sockets and IPv4 sockets
// share their four-tuples, so one form for both is also one key for both.
// It holds no pointer: a hundred thousand of them cost the garbage collector
// nothing. The zero Addr is the IPv6 wildcard "::".
type Addr [16]byte

// AddrFrom converts an address of the standard library. A zone is dropped:
// see [Socket.Interface]. The zero netip.Addr becomes "::".
func AddrFrom(a netip.Addr) Addr {
	if !a.IsValid() {
		return Addr{}
	}
	return a.As16()
}

// Addr4 makes the v4-mapped form of an IPv4 address in network byte order.
func Addr4(b [4]byte) Addr {
	return Addr{10: 0xff, 11: 0xff, 12: b[0], 13: b[1], 14: b[2], 15: b[3]}
}

// Netip returns the address for the standard library, IPv4 unmapped.
func (a Addr) Netip() netip.Addr { return netip.AddrFrom16(a).Unmap() }

// Is4 tells whether the address is IPv4 (in v4-mapped form).
func (a Addr) Is4() bool {
	return binary.BigEndian.Uint64(a[:8]) == 0 && binary.BigEndian.Uint32(a[8:12]) == 0xffff
}

// IsWildcard tells whether the address is 0.0.0.0 or "::".
func (a Addr) IsWildcard() bool {
	return a == Addr{} || a == Addr{10: 0xff, 11: 0xff}
}

// IsLoopback tells whether the address is in 127.0.0.0/8 or is ::1.
func (a Addr) IsLoopback() bool {
	return a.Is4() && a[12] == 127 || a == Addr{15: 1}
}

// String gives the usual text form, IPv4 without its mapping prefix.
func (a Addr) String() string { return a.Netip().String() }

// AppendTo appends the text form to b.
func (a Addr) AppendTo(b []byte) []byte { return a.Netip().AppendTo(b) }

// AppendAddrPort appends address and port as host:port, with brackets around
// IPv6.
func AppendAddrPort(b []byte, a Addr, port uint16) []byte {
	if !a.Is4() {
		return netip.AddrPortFrom(a.Netip(), port).AppendTo(b)
	}
	// Twice as fast as package netip.
	for i, octet := range a[12:] {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(octet), 10)
	}
	return strconv.AppendUint(append(b, ':'), uint64(port), 10)
}

// AppendZone appends the number of an interface to an address that is bound to
// it: "%3" (RFC 4007, section 11). 0 is none.
func AppendZone(b []byte, iface uint32) []byte {
	if iface == 0 {
		return b
	}
	return strconv.AppendUint(append(b, '%'), uint64(iface), 10)
}

// AddrPortOn is AddrPort for what is bound to an interface, or to none (0).
func AddrPortOn(a Addr, iface uint32, port uint16) string {
	if iface == 0 {
		return AddrPort(a, port)
	}
	host := string(AppendZone(a.AppendTo(nil), iface))
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// AddrPort gives address and port as host:port, with brackets around IPv6.
func AddrPort(a Addr, port uint16) string {
	return string(AppendAddrPort(nil, a, port))
}
