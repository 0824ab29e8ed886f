// Package netlink speaks what all of netlink has in common: messages, their
// attributes, and the socket that they go through. No library stands between
// the kernel and who decodes its answers: it would allocate for every row
// (measured with github.com/mdlayher/netlink, see BenchmarkDump of package
// sockdiag).
package netlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"
)

// Types of messages that all families have, and flags (linux/netlink.h).
const (
	Noop    = 1
	Error   = 2
	Done    = 3
	Overrun = 4

	Request         = 0x1
	Dump            = 0x300
	DumpInterrupted = 0x10 // the answer is inconsistent
)

// Sizes in bytes (linux/netlink.h).
const (
	HeaderLen     = 16
	AttrHeaderLen = 4
)

// BufferSize is room for every datagram of a dump: the kernel fills at most 32
// KiB (netlink_dump).
const BufferSize = 64 << 10

// ErrMalformed is wrapped by errors about an answer that breaks its format.
var ErrMalformed = errors.New("malformed netlink reply")

// Message is a message of a datagram.
type Message struct {
	Type, Flags uint16
	Seq         uint32
	Body        []byte // behind the header
}

// Next gives the first message of a datagram that is not empty, and the rest of it.
func Next(b []byte) (m Message, rest []byte, err error) {
	if len(b) < HeaderLen {
		return m, nil, fmt.Errorf("%w: %d bytes where a message header was expected", ErrMalformed, len(b))
	}
	length := binary.NativeEndian.Uint32(b)
	if length < HeaderLen || uint64(length) > uint64(len(b)) {
		return m, nil, fmt.Errorf("%w: message of %d bytes in %d", ErrMalformed, length, len(b))
	}
	m = Message{
		Type: binary.NativeEndian.Uint16(b[4:]), Flags: binary.NativeEndian.Uint16(b[6:]),
		Seq: binary.NativeEndian.Uint32(b[8:]), Body: b[HeaderLen:length:length],
	}
	return m, b[min(Align(int(length)), len(b)):], nil
}

// NextAttr gives the first of attributes, of which there is one at least, and the
// rest of them. Flags of its type are kept.
func NextAttr(b []byte) (kind uint16, value, rest []byte, err error) {
	if len(b) < AttrHeaderLen {
		return 0, nil, nil, fmt.Errorf("%w: %d bytes where an attribute was expected", ErrMalformed, len(b))
	}
	length := int(binary.NativeEndian.Uint16(b))
	if length < AttrHeaderLen || length > len(b) {
		return 0, nil, nil, fmt.Errorf("%w: attribute of %d bytes in %d", ErrMalformed, length, len(b))
	}
	return binary.NativeEndian.Uint16(b[2:]), b[AttrHeaderLen:length:length], b[min(Align(length), len(b)):], nil
}

// Errno reads the result of a dump, which Done carries as a negative errno
// (netlink_dump_done).
func Errno(body []byte) error {
	if len(body) < 4 {
		return nil
	}
	if errno := int32(binary.NativeEndian.Uint32(body)); errno < 0 {
		return syscall.Errno(-int64(errno))
	}
	return nil
}

// Refusal reads the body of an Error, which in answer to a dump is always a
// refusal.
func Refusal(body []byte) error {
	if len(body) < 4 {
		return fmt.Errorf("%w: error message of %d bytes", ErrMalformed, len(body))
	}
	if err := Errno(body); err != nil {
		return err
	}
	return fmt.Errorf("%w: error message without an error", ErrMalformed)
}

// AppendHeader appends the header of a message of so many bytes in all.
func AppendHeader(b []byte, length int, kind, flags uint16, seq uint32) []byte {
	b = binary.NativeEndian.AppendUint32(b, uint32(length))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = binary.NativeEndian.AppendUint32(b, seq)
	return binary.NativeEndian.AppendUint32(b, 0) // the kernel's port id
}

// Align rounds up to netlink's alignment.
func Align(n int) int { return (n + 3) &^ 3 }
