package procfs

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"

	"ephtop/source"
)

// AppendSockets appends the sockets of a file of /proc/PID/net: tcp or udp, or
// with family6 tcp6 or udp6 (proc_pid_net(5)). Lines that make no sense are
// passed over. Bound and unconnected TCP sockets are not in there, nor cookies.
func AppendSockets(sockets []source.Socket, file []byte, proto source.Proto, family6 bool) []source.Socket {
	for line := range bytes.Lines(file) {
		s := source.Socket{Proto: proto, Family6: family6, Process: source.NoProcess}
		if s, ok := parseSocket(s, line); ok {
			sockets = append(sockets, s)
		}
	}
	return sockets
}

// parseSocket reads a line: number, local and remote end, state, queues, timer,
// retransmissions, uid, probes, inode.
func parseSocket(s source.Socket, line []byte) (source.Socket, bool) {
	var field [10][]byte
	for i := range field {
		line = bytes.TrimLeft(line, " ")
		end := bytes.IndexAny(line, " \n")
		if end < 0 {
			end = len(line)
		}
		field[i], line = line[:end], line[end:]
	}
	state, ok1 := hexNumber(field[3])
	send, receive, ok2 := hexPair(field[4])
	timer, when, ok3 := hexPair(field[5])
	retransmits, ok4 := hexNumber(field[6])
	uid, _, ok5 := ParseUint(field[7], 1<<32-1)
	inode, _, ok6 := ParseUint(field[9], 1<<32-1)
	var ok7, ok8 bool
	s.Local, s.LocalPort, ok7 = parseEnd(field[1], s.Family6)
	s.Remote, s.RemotePort, ok8 = parseEnd(field[2], s.Family6)
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7 && ok8) || state == 0 || state > uint32(source.Closing) {
		return s, false
	}
	if s.State = source.State(state); s.State == source.Close {
		s.State = source.Bound
	}
	s.SendQueue, s.ReceiveQueue = send, receive
	s.Timer, s.Retransmits = source.Timer(timer), uint8(retransmits)
	s.Expires = min(when, (1<<32-1)/10) * 10 // it is in hundredths of a second
	if s.State != source.TimeWait {
		s.UID, s.Inode = uint32(uid), uint32(inode)
	}
	return s, true
}

// parseEnd reads an address and a port: "0100007F:0050". The address is in words
// of 32 bits, each written as the number that this machine sees in it.
func parseEnd(text []byte, family6 bool) (source.Addr, uint16, bool) {
	words := 1
	if family6 {
		words = 4
	}
	address, port, ok := bytes.Cut(text, []byte(":"))
	n, isPort := hexNumber(port)
	if !ok || !isPort || n > 1<<16-1 || len(address) != 8*words {
		return source.Addr{}, 0, false
	}
	var b [16]byte
	for i := range words {
		word, ok := hexNumber(address[8*i : 8*i+8])
		if !ok {
			return source.Addr{}, 0, false
		}
		binary.NativeEndian.PutUint32(b[4*i:], word)
	}
	if family6 {
		return source.Addr(b), uint16(n), true
	}
	return source.Addr4([4]byte(b[:4])), uint16(n), true
}

// hexPair reads two numbers: "00000000:0000001A".
func hexPair(text []byte) (a, b uint32, ok bool) {
	left, right, ok := bytes.Cut(text, []byte(":"))
	a, ok1 := hexNumber(left)
	b, ok2 := hexNumber(right)
	return a, b, ok && ok1 && ok2
}

// hexNumber reads up to eight hexadecimal digits.
func hexNumber(text []byte) (uint32, bool) {
	var padded [8]byte
	if len(text) == 0 || len(text) > len(padded) {
		return 0, false
	}
	copy(padded[:], "00000000")
	copy(padded[len(padded)-len(text):], text)
	var b [4]byte
	_, err := hex.Decode(b[:], padded[:])
	return binary.BigEndian.Uint32(b[:]), err == nil
}
