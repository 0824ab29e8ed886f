package source

import (
	"encoding/binary"
	"math/bits"
)

// Identity is the key under which a socket is looked for in the next moment: a
// hash of protocol, four-tuple and interface, and of the inode too while the
// socket is not connected, since many may listen on one port. The cookie is no
// part of it: it may become known in the middle of a socket's life, and TIME_WAIT
// has no inode. So another socket that has taken the same four-tuple has the
// same identity; what contradicts that it is one tells them apart.
func (s *Socket) Identity() uint64 {
	const k0, k1, k2 = 0x9e3779b97f4a7c15, 0xa0761d6478bd642f, 0xe7037ed1a0b428db
	ends := uint64(s.LocalPort)<<32 | uint64(s.RemotePort)<<16 | uint64(s.Proto)<<8 | uint64(s.Interface)<<48
	if s.RemotePort == 0 {
		ends ^= uint64(s.Inode) * k1
	}
	// Three products that don't wait for each other: this is paid for every row.
	local := fold(binary.LittleEndian.Uint64(s.Local[:8])^k0, binary.LittleEndian.Uint64(s.Local[8:])^k1)
	remote := fold(binary.LittleEndian.Uint64(s.Remote[:8])^k1, binary.LittleEndian.Uint64(s.Remote[8:])^k2)
	return fold(local^ends^k2, remote^bits.RotateLeft64(ends, 29)^k0)
}

// fold mixes two words into one: their whole product, its halves joined.
func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

// Other reports whether the cookies or the inodes of two rows with one identity
// say that they are not the same socket. 0 says nothing, for what is not known
// yet, and for what a socket has no more.
func Other[Cookie uint32 | uint64](cookie, cookie2 Cookie, inode, inode2 uint32) bool {
	return cookie != 0 && cookie2 != 0 && cookie != cookie2 || inode != 0 && inode2 != 0 && inode != inode2
}
