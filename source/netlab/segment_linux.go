package netlab

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// segment is one of TCP, without options or data, in a packet of IPv4.
type segment [40]byte

// The flags of a segment.
const (
	tcpSYN = 1 << 1
	tcpACK = 1 << 4
)

// send sends it by a raw socket, as if it came from anywhere.
func (p *segment) send(raw int, from, to netip.AddrPort, flags uint8, sequence uint32) error {
	*p = segment{0: 4<<4 | 5, 8: 64, 9: unix.IPPROTO_TCP, 32: 5 << 4, 33: flags}
	source, destination := from.Addr().As4(), to.Addr().As4()
	copy(p[12:], source[:])
	copy(p[16:], destination[:])
	binary.BigEndian.PutUint16(p[20:], from.Port())
	binary.BigEndian.PutUint16(p[22:], to.Port())
	binary.BigEndian.PutUint32(p[24:], sequence)
	sum := uint32(unix.IPPROTO_TCP + 20) // of the pseudo header
	for b := p[12:]; len(b) > 0; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(p[36:], ^uint16(sum+sum>>16))
	if err := unix.Sendto(raw, p[:], 0, &unix.SockaddrInet4{Addr: destination}); err != nil {
		return fmt.Errorf("send to %v: %w", to, err)
	}
	return nil
}

// SYNs sends n first packets of connections that nobody waits for, each from
// wherever from says, with a sequence number by it.
func (h *Host) SYNs(n int, to netip.AddrPort, from func() (netip.AddrPort, uint32)) {
	h.t.Helper()
	h.Must(func() error {
		raw, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			return fmt.Errorf("open a raw socket: %w", err)
		}
		defer unix.Close(raw)
		var packet segment
		for range n {
			client, sequence := from()
			if err := packet.send(raw, client, to, tcpSYN, sequence); err != nil {
				return err
			}
		}
		return nil
	})
}
