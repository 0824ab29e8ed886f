package netlink

import (
	"encoding/binary"
	"errors"
	"strings"
	"syscall"
	"testing"
)

// message makes one whose header says the length given.
func message(length int, kind uint16, body ...byte) []byte {
	return append(AppendHeader(nil, length, kind, 0, 7), body...)
}

func TestNext(t *testing.T) {
	t.Parallel()
	two := append(message(18, 20, 1, 2, 0, 0), message(16, Done)...)
	m, rest, err := Next(two)
	if err != nil || m.Type != 20 || m.Seq != 7 || len(m.Body) != 2 || cap(m.Body) != 2 || len(rest) != HeaderLen {
		t.Errorf("%+v, %d left, %v", m, len(rest), err)
	}
	if m, rest, err = Next(message(17, 20, 1)); err != nil || len(rest) != 0 { // without padding
		t.Errorf("%+v, %d left, %v", m, len(rest), err)
	}
	for want, b := range map[string][]byte{
		"3 bytes where a message header": {1, 2, 3},
		"message of 0 bytes in 16":       message(0, Done),
		"message of 15 bytes in 16":      message(15, Done),
		"message of 17 bytes in 16":      message(17, Done),
	} {
		if _, _, err := Next(b); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestNextAttr(t *testing.T) {
	t.Parallel()
	attr := func(length, kind uint16, value ...byte) []byte {
		b := binary.NativeEndian.AppendUint16(nil, length)
		return append(binary.NativeEndian.AppendUint16(b, kind), value...)
	}
	kind, value, rest, err := NextAttr(append(attr(5, 9, 1, 0, 0, 0), attr(4, 1)...))
	if err != nil || kind != 9 || len(value) != 1 || len(rest) != 4 {
		t.Errorf("%d: %v, %d left, %v", kind, value, len(rest), err)
	}
	for want, b := range map[string][]byte{
		"3 bytes where an attribute": {4, 0, 1}, "attribute of 3 bytes in 4": attr(3, 1), "attribute of 5 bytes in 4": attr(5, 1),
	} {
		if _, _, _, err := NextAttr(b); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	errno := func(n int32) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(n)) }
	if err := Refusal(errno(-int32(syscall.EPERM))); err != syscall.EPERM {
		t.Error(err)
	}
	for _, b := range [][]byte{nil, errno(0), errno(1)} {
		if err := Refusal(b); !errors.Is(err, ErrMalformed) {
			t.Error(err)
		}
		if err := Errno(b); err != nil {
			t.Error(err)
		}
	}
}
