package filter

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"ephtop/model"
	"ephtop/model/services"
	"ephtop/source"
)

// ends says which ends of a connection a term looks at.
type ends uint8

const (
	endLocal ends = 1 << iota
	endRemote
	endBoth = endLocal | endRemote
)

// portMatcher lets pass the ports in any of its ranges, at any of its ends.
type portMatcher struct {
	ends   ends
	ranges []source.PortRange
}

func (m *portMatcher) match(_ *model.State, s *source.Socket, _ *model.Row) bool {
	for _, r := range m.ranges {
		if m.ends&endLocal != 0 && r.Contains(s.LocalPort) || m.ends&endRemote != 0 && r.Contains(s.RemotePort) {
			return true
		}
	}
	return false
}

func (e ends) compilePorts(values []value, _ bool) (matcher, error) {
	m := &portMatcher{ends: e}
	for _, v := range values {
		r, ok := parsePorts(v.text)
		if !ok {
			return nil, v.wrong("bad port %q: use a number from 0 to 65535, a range LOW-HIGH or a service such as https", v.text)
		}
		m.ranges = append(m.ranges, r)
	}
	return m, nil
}

// parsePorts reads a port, a range of ports or the name of a service. Unlike
// a range of ephemeral ports, it may have port 0: the far end of a listener.
func parsePorts(s string) (source.PortRange, bool) {
	if port, ok := services.Port(s); ok {
		return source.PortRange{Low: port, High: port}, true
	}
	low, high, isRange := strings.Cut(s, "-")
	if !isRange {
		high = low
	}
	l, err1 := strconv.ParseUint(low, 10, 16)
	h, err2 := strconv.ParseUint(high, 10, 16)
	return source.PortRange{Low: uint16(l), High: uint16(h)}, err1 == nil && err2 == nil && l <= h
}

// addrMatcher lets pass the addresses in any of its ranges, at any of its ends.
type addrMatcher struct {
	ends   ends
	ranges []addrRange
}

func (m *addrMatcher) match(_ *model.State, s *source.Socket, _ *model.Row) bool {
	for i := range m.ranges {
		r := &m.ranges[i]
		if m.ends&endLocal != 0 && r.contains(&s.Local, s.LocalPort) ||
			m.ends&endRemote != 0 && r.contains(&s.Remote, s.RemotePort) {
			return true
		}
	}
	return false
}

func (e ends) compileAddrs(values []value, _ bool) (matcher, error) {
	m := &addrMatcher{ends: e}
	for _, v := range values {
		if strings.Contains(v.text, "%") {
			return nil, v.wrong("an interface cannot be matched: leave out %q", v.text[strings.Index(v.text, "%"):])
		}
		r, ok := parseAddrs(v.text)
		if !ok {
			return nil, v.wrong("bad address %q: use an address, a prefix such as 10.0.0.0/8, "+
				"or either address with port, 10.0.0.9:443 or [2001:db8::1]:443", v.text)
		}
		m.ranges = append(m.ranges, r)
	}
	return m, nil
}

// addrRange is a prefix of addresses with a range of ports.
type addrRange struct {
	hi, lo         uint64 // the prefix, with zeros behind it
	maskHi, maskLo uint64
	only6          bool // the prefix has room for v4-mapped addresses, and means IPv6
	ports          source.PortRange
}

func (r *addrRange) contains(a *source.Addr, port uint16) bool {
	return binary.BigEndian.Uint64(a[:8])&r.maskHi == r.hi && binary.BigEndian.Uint64(a[8:])&r.maskLo == r.lo &&
		r.ports.Contains(port) && !(r.only6 && a.Is4())
}

// parseAddrs reads an address, a prefix, or an address with port.
func parseAddrs(s string) (addrRange, bool) {
	every := source.PortRange{Low: 0, High: 65535}
	if prefix, err := netip.ParsePrefix(s); err == nil {
		return newAddrRange(prefix, every), true
	}
	if a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")); err == nil &&
		strings.HasPrefix(s, "[") == strings.HasSuffix(s, "]") && (s[0] != '[' || a.Is6()) {
		return newAddrRange(netip.PrefixFrom(a, a.BitLen()), every), a.Zone() == ""
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return addrRange{}, false
	}
	host, bracket := strings.CutPrefix(s[:i], "[")
	host, closed := strings.CutSuffix(host, "]")
	a, err := netip.ParseAddr(host)
	ports, ok := parsePorts(s[i+1:])
	if err != nil || !ok || a.Zone() != "" || bracket != closed || bracket != a.Is6() {
		return addrRange{}, false
	}
	return newAddrRange(netip.PrefixFrom(a, a.BitLen()), ports), true
}

// newAddrRange takes a prefix of either family to the form of source.Addr.
func newAddrRange(p netip.Prefix, ports source.PortRange) addrRange {
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	r := addrRange{ports: ports, only6: bits < 96}
	r.maskHi = ^uint64(0) << (64 - min(bits, 64))
	r.maskLo = ^uint64(0) << (64 - max(bits-64, 0))
	a := p.Addr().As16()
	r.hi = binary.BigEndian.Uint64(a[:8]) & r.maskHi
	r.lo = binary.BigEndian.Uint64(a[8:]) & r.maskLo
	return r
}
