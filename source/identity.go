package source

import "encoding/binary"

// Identity is the key under which a socket is known from poll to poll: its
// cookie, or a hash of its four-tuple and interface where the source knows no
// cookies. A cookie is a small counter (sock_gen_cookie), so the top bit tells
// the two apart.
func (s *Socket) Identity() uint64 {
	if s.Cookie != 0 {
		return s.Cookie &^ (1 << 63)
	}
	return s.hash() | 1<<63
}

// hash mixes the four-tuple (FNV-1a over 64-bit words).
func (s *Socket) hash() uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for _, w := range [...]uint64{
		binary.LittleEndian.Uint64(s.Local[:8]), binary.LittleEndian.Uint64(s.Local[8:]),
		binary.LittleEndian.Uint64(s.Remote[:8]), binary.LittleEndian.Uint64(s.Remote[8:]),
		uint64(s.LocalPort)<<32 | uint64(s.RemotePort)<<16 | uint64(s.Proto)<<8 | uint64(s.Interface)<<48,
	} {
		h = (h ^ w) * prime
		h ^= h >> 29
	}
	return h
}
