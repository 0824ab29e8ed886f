package trace

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

// record is one event as the kernel wrote it.
type record struct {
	time  uint64 // nanoseconds of the trace clock
	tid   int32
	kind  source.EventKind
	tuple source.Tuple
}

// decoder reads pages of a ring buffer (struct buffer_data_page in
// kernel/trace/ring_buffer.c) in the byte order of the machine that wrote them.
type decoder struct {
	page   pageLayout
	record recordLayout
	order  binary.ByteOrder
}

// nativeOrder gives this machine's byte order under the name that header
// compares.
func nativeOrder() binary.ByteOrder {
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// Flags and size in the commit field of a page (ring_buffer_read_page).
const (
	missedEvents = 1 << 31
	commitSize   = 1<<27 - 1
)

// Values of type_len (enum ring_buffer_type in linux/ring_buffer.h); 1 to 28
// are the length of the data in words, 0 says that the length comes first.
const (
	typePadding    = 29
	typeTimeExtend = 30
	typeTimeStamp  = 31
)

const (
	deltaBits   = 27
	stampBits   = 59 // of an absolute time stamp; the rest is the page's
	eventHeader = 4  // bytes
)

var errPage = errors.New("malformed page of the trace buffer")

// decode appends the records of one page. missed says that the kernel had no
// room for some before them. After an error, what came before it in the page is
// good.
func (d *decoder) decode(page []byte, records []record) (_ []record, missed bool, err error) {
	if len(page) < d.page.time.end() || len(page) < d.page.commit.end() || len(page) < d.page.data.offset {
		return records, false, fmt.Errorf("%w: %d bytes", errPage, len(page))
	}
	now := d.order.Uint64(page[d.page.time.offset:])
	commit := d.commit(page[d.page.commit.offset:])
	missed = commit&missedEvents != 0
	data, size := page[d.page.data.offset:], int(commit&commitSize)
	if size > len(data) {
		return records, missed, fmt.Errorf("%w: %d bytes of data in %d", errPage, size, len(data))
	}
	for data = data[:size]; len(data) > 0; {
		var payload []byte
		length := 0
		if payload, length, now = d.event(data, now); length == 0 {
			return records, missed, fmt.Errorf("%w: bad event", errPage)
		}
		data = data[length:]
		if payload == nil {
			continue
		}
		if r, ok := d.read(payload); ok {
			r.time = now
			records = append(records, r)
		}
	}
	return records, missed, nil
}

func (d *decoder) commit(b []byte) uint64 {
	if d.page.commit.size == 4 {
		return uint64(d.order.Uint32(b))
	}
	return d.order.Uint64(b)
}

// event takes one event (struct ring_buffer_event) from the front of b. It
// gives its payload, nil if there is none, its length, 0 if it makes no sense,
// and its time.
func (d *decoder) event(b []byte, now uint64) (payload []byte, length int, time uint64) {
	if len(b) < eventHeader {
		return nil, 0, now
	}
	kind, delta := d.header(d.order.Uint32(b))
	if kind == typePadding && delta == 0 {
		return nil, len(b), now // nothing follows
	}
	if 1 <= kind && kind < typePadding {
		if length = eventHeader + 4*int(kind); length > len(b) {
			return nil, 0, now
		}
		return b[eventHeader:length], length, now + delta
	}
	if len(b) < eventHeader+4 {
		return nil, 0, now
	}
	word := d.order.Uint32(b[eventHeader:])
	switch kind {
	case typeTimeExtend:
		return nil, eventHeader + 4, now + uint64(word)<<deltaBits + delta
	case typeTimeStamp:
		return nil, eventHeader + 4, absolute(uint64(word)<<deltaBits|delta, now)
	}
	// The length that comes first counts its own four bytes.
	if word < 4 || uint64(word) > uint64(len(b)-eventHeader) {
		return nil, 0, now
	}
	length = eventHeader + int(word)
	if kind == typePadding {
		return nil, length, now + delta // an event that was taken back
	}
	return b[eventHeader+4 : length], length, now + delta
}

// header splits the first word of an event, a bit field of the C compiler.
func (d *decoder) header(word uint32) (kind uint32, delta uint64) {
	if d.order == binary.BigEndian {
		return word >> deltaBits, uint64(word & (1<<deltaBits - 1))
	}
	return word & (1<<(32-deltaBits) - 1), uint64(word >> (32 - deltaBits))
}

// absolute completes a time stamp with the high bits of the time before
// (rb_fix_abs_ts).
func absolute(stamp, before uint64) uint64 {
	const high = ^uint64(1<<stampBits - 1)
	if before&high == 0 {
		return stamp
	}
	stamp |= before & high
	if stamp < before {
		stamp += 1 << stampBits
	}
	return stamp
}

// read reads the payload of an event. It is false for an event that is not
// ours: others may write into our instance (trace_marker).
func (d *decoder) read(b []byte) (record, bool) {
	l := &d.record
	if len(b) < l.kind.end() || d.order.Uint16(b[l.kind.offset:]) != l.id || len(b) < l.size {
		return record{}, false
	}
	r := record{tid: int32(d.order.Uint32(b[l.tid.offset:]))}
	r.tuple.Proto = source.TCP
	r.tuple.LocalPort = d.order.Uint16(b[l.localPort.offset:])
	r.tuple.RemotePort = d.order.Uint16(b[l.remotePort.offset:])
	switch d.order.Uint16(b[l.family.offset:]) {
	case unix.AF_INET:
		r.tuple.Local = source.Addr4([4]byte(b[l.local4.offset:]))
		r.tuple.Remote = source.Addr4([4]byte(b[l.remote4.offset:]))
	case unix.AF_INET6:
		r.tuple.Local = source.Addr(b[l.local6.offset:][:16])
		r.tuple.Remote = source.Addr(b[l.remote6.offset:][:16])
	default:
		return record{}, false
	}
	// The same conditions as in the kernel's filter.
	before, after := d.order.Uint32(b[l.oldState.offset:]), d.order.Uint32(b[l.newState.offset:])
	switch {
	case before == uint32(source.Established) && after == uint32(source.FinWait1):
		r.kind = source.Closed
	case before == uint32(source.SynSent) && after == uint32(source.Close) && r.tuple.LocalPort == 0:
		r.kind = source.ConnectFailed
	default:
		return record{}, false
	}
	return r, r.tid > 0
}
