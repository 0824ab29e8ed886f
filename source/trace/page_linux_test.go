package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ephtop/source"
)

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// captured is the decoder for the pages in testdata, which a Linux 6.18 for
// amd64 wrote.
func captured(t testing.TB) *decoder {
	t.Helper()
	page, err1 := parsePageLayout(string(testdata(t, "header_page")))
	record, err2 := parseRecordLayout(string(testdata(t, "format")))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return &decoder{page, record, binary.LittleEndian}
}

func lines(records []record) []string {
	var text []string
	for _, r := range records {
		text = append(text, fmt.Sprintf("%d %d %v %v", r.time, r.tid, r.kind, r.tuple))
	}
	return text
}

func TestDecodeCapturedPages(t *testing.T) {
	t.Parallel()
	d := captured(t)
	for _, test := range []struct {
		page string
		want []string
	}{
		{"mixed.page", []string{
			"3304634336732 5338 closed tcp 127.0.0.1:40018 → 127.0.0.1:7391",
			"3304634781773 5338 closed tcp 127.0.0.1:40006 → 127.0.0.1:7391",
			"3304635035427 5338 closed tcp 127.0.0.1:40002 → 127.0.0.1:7391",
			// 300 ms later, which takes a time extend
			"3304936429364 5338 closed tcp [::1]:40002 → [::1]:7391",
			"3304936523781 5338 closed tcp [::1]:40016 → [::1]:7391",
			// v4-mapped sockets
			"3304939049207 5338 closed tcp 127.0.0.1:40014 → 127.0.0.1:7391",
			"3304939374816 5338 closed tcp 127.0.0.1:40010 → 127.0.0.1:7391",
		}},
		{"failed.page", []string{
			"3304941007457 5338 connect failed tcp 127.0.0.1:0 → 127.0.0.1:7391",
			"3304941083990 5338 connect failed tcp 127.0.0.1:0 → 127.0.0.1:7391",
			"3304941142460 5338 connect failed tcp 127.0.0.1:0 → 127.0.0.1:7391",
			"3304941187674 5338 connect failed tcp 127.0.0.1:0 → 127.0.0.1:7391",
		}},
	} {
		got, missed, err := d.decode(testdata(t, test.page), nil)
		if err != nil || missed {
			t.Errorf("%s: missed %v, error %v", test.page, missed, err)
		}
		if diff := cmp.Diff(test.want, lines(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.page, diff)
		}
	}
	got, missed, err := d.decode(testdata(t, "missed.page"), nil)
	if len(got) != 53 || !missed || err != nil {
		t.Errorf("missed.page: %d records, missed %v, error %v; want 53, true, nil", len(got), missed, err)
	}
}

// builder writes pages as the kernel of a decoder would.
type builder struct {
	d    *decoder
	data []byte
}

func (b *builder) word(n uint32) *builder {
	b.data = append(b.data, make([]byte, 4)...)
	b.d.order.PutUint32(b.data[len(b.data)-4:], n)
	return b
}

func (b *builder) header(kind, delta uint32) *builder {
	if b.d.order == binary.BigEndian {
		return b.word(kind<<27 | delta)
	}
	return b.word(kind | delta<<5)
}

func (b *builder) bytes(p []byte) *builder {
	b.data = append(b.data, p...)
	return b
}

// event adds a payload whose length is in its header.
func (b *builder) event(delta uint32, payload []byte) *builder {
	return b.header(uint32(len(payload)/4), delta).bytes(payload)
}

func (b *builder) page(time, flags uint64) []byte {
	page := make([]byte, 16)
	b.d.order.PutUint64(page, time)
	b.d.order.PutUint64(page[8:], uint64(len(b.data))|flags)
	return append(page, b.data...)
}

// payload is a close by a thread, changed as the test wants it.
func payload(d *decoder, tid uint32, change func(put func(field, uint32))) []byte {
	b := make([]byte, d.record.size)
	put := func(f field, n uint32) {
		if f.size == 2 {
			d.order.PutUint16(b[f.offset:], uint16(n))
		} else {
			d.order.PutUint32(b[f.offset:], n)
		}
	}
	l := &d.record
	put(l.kind, uint32(l.id))
	put(l.tid, tid)
	put(l.oldState, 1)
	put(l.newState, 4)
	put(l.localPort, 40000)
	put(l.remotePort, 443)
	put(l.family, unix.AF_INET)
	copy(b[l.local4.offset:], []byte{10, 0, 0, 1})
	copy(b[l.remote4.offset:], []byte{10, 0, 0, 2})
	if change != nil {
		change(put)
	}
	return b
}

func TestDecodeEvents(t *testing.T) {
	t.Parallel()
	const event = "closed tcp 10.0.0.1:40000 → 10.0.0.2:443"
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		d := captured(t)
		d.order = order
		l := &d.record
		changed := func(f field, n uint32) []byte {
			return payload(d, 7, func(put func(field, uint32)) { put(f, n) })
		}
		one := payload(d, 7, nil)
		start := func() *builder { return &builder{d: d} }
		for _, test := range []struct {
			name  string
			time  uint64
			build *builder
			want  []string
		}{
			{"nothing", 100, start(), nil},
			{"two events", 100, start().event(5, one).event(6, one), []string{"105 7 " + event, "111 7 " + event}},
			{"length in the first word", 100, start().header(0, 5).word(uint32(len(one) + 4)).bytes(one), []string{"105 7 " + event}},
			{"time extend", 100, start().header(30, 3).word(2).event(0, one), []string{"268435559 7 " + event}},
			{"time stamp", 100, start().header(31, 3).word(2).event(0, one), []string{"268435459 7 " + event}},
			{"time stamp and high bits of the page", 1<<59 | 100, start().header(31, 3).word(2).event(0, one),
				[]string{"576460752571858947 7 " + event}},
			{"time stamp that wrapped", 1<<59 + 1<<58, start().header(31, 3).word(0).event(0, one),
				[]string{"1152921504606846979 7 " + event}},
			{"event taken back", 100, start().header(29, 1).word(12).word(0).word(0).event(2, one), []string{"103 7 " + event}},
			{"padding to the end", 100, start().event(5, one).header(29, 0).bytes(one), []string{"105 7 " + event}},
			{"event of another kind", 100, start().event(5, changed(l.kind, 5)).event(5, one), []string{"110 7 " + event}},
			{"payload too short", 100, start().event(5, one[:8]).event(5, one), []string{"110 7 " + event}},
			{"payload longer than known", 100, start().event(5, append(one[:len(one):len(one)], 0, 0, 0, 0)), []string{"105 7 " + event}},
			{"idle task", 100, start().event(5, changed(l.tid, 0)), nil},
			{"neither IPv4 nor IPv6", 100, start().event(5, changed(l.family, 1)), nil},
			{"other change of state", 100, start().event(5, changed(l.newState, 8)), nil},
			{"connect refused", 100, start().event(5, payload(d, 7, func(put func(field, uint32)) {
				put(l.oldState, 2)
				put(l.newState, 7)
			})), nil},
			{"connect failed", 100, start().event(5, payload(d, 7, func(put func(field, uint32)) {
				put(l.oldState, 2)
				put(l.newState, 7)
				put(l.localPort, 0)
			})), []string{"105 7 connect failed tcp 10.0.0.1:0 → 10.0.0.2:443"}},
			{"ports", 100, start().event(5, changed(l.remotePort, 0x1234)), []string{"105 7 closed tcp 10.0.0.1:40000 → 10.0.0.2:4660"}},
		} {
			got, missed, err := d.decode(test.build.page(test.time, 0), nil)
			if missed || err != nil {
				t.Errorf("%v, %s: missed %v, error %v", order, test.name, missed, err)
			}
			if diff := cmp.Diff(test.want, lines(got)); diff != "" {
				t.Errorf("%v, %s (-want +got):\n%s", order, test.name, diff)
			}
		}
	}
}

// A page that makes no sense is an error, and what came before it is kept.
func TestDecodeMalformed(t *testing.T) {
	t.Parallel()
	d := captured(t)
	one := payload(d, 7, nil)
	start := func() *builder { return (&builder{d: d}).event(5, one) }
	long := start().page(1, 0)
	d.order.PutUint64(long[8:], 1<<20)
	for _, test := range []struct {
		name string
		page []byte
		keep int
	}{
		{"empty", nil, 0},
		{"no header", make([]byte, 15), 0},
		{"more data than there is", long, 0},
		{"half a header", start().bytes([]byte{1, 2}).page(1, 0), 1},
		{"payload cut off", start().event(5, one[:40]).header(18, 1).bytes(one[:8]).page(1, 0), 1},
		{"time extend cut off", start().header(30, 1).page(1, 0), 1},
		{"length cut off", start().header(0, 1).page(1, 0), 1},
		{"length too short", start().header(0, 1).word(3).page(1, 0), 1},
		{"length too long", start().header(0, 1).word(1000).bytes(one).page(1, 0), 1},
		{"length of padding too long", start().header(29, 1).word(1<<31).page(1, 0), 1},
	} {
		got, _, err := d.decode(test.page, nil)
		if !errors.Is(err, errPage) || len(got) != test.keep {
			t.Errorf("%s: %d records, error %v; want %d and errPage", test.name, len(got), err, test.keep)
		}
	}
}

// The commit field has 4 bytes on a 32-bit kernel.
func TestDecode32(t *testing.T) {
	t.Parallel()
	const header = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n" +
		"\tfield: local_t commit;\toffset:8;\tsize:4;\tsigned:1;\n" +
		"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n" +
		"\tfield: char data;\toffset:12;\tsize:4084;\tsigned:1;\n"
	d := captured(t)
	var err error
	if d.page, err = parsePageLayout(header); err != nil {
		t.Fatal(err)
	}
	events := (&builder{d: d}).event(5, payload(d, 7, nil)).data
	page := binary.LittleEndian.AppendUint64(nil, 100)
	page = binary.LittleEndian.AppendUint32(page, uint32(len(events))|missedEvents)
	got, missed, err := d.decode(append(page, events...), nil)
	if len(got) != 1 || got[0].time != 105 || !missed || err != nil {
		t.Errorf("%v, missed %v, error %v", lines(got), missed, err)
	}
}

func FuzzDecode(f *testing.F) {
	d := captured(f)
	for _, name := range []string{"mixed.page", "failed.page", "missed.page"} {
		f.Add(testdata(f, name), false)
	}
	one := payload(d, 7, nil)
	f.Add((&builder{d: d}).header(31, 3).word(2).header(29, 1).word(12).word(0).word(0).event(2, one).page(1, 0), false)
	f.Add((&builder{d: d}).header(0, 5).word(uint32(len(one)+4)).bytes(one).header(30, 1).word(9).page(1, 0), true)
	f.Fuzz(func(t *testing.T, page []byte, big bool) {
		d := *d
		if big {
			d.order = binary.BigEndian
		}
		got, _, err := d.decode(page, nil)
		if err != nil && !errors.Is(err, errPage) {
			t.Errorf("error %v", err)
		}
		if most := len(page) / d.record.size; len(got) > most {
			t.Errorf("%d records in %d bytes", len(got), len(page))
		}
		for _, r := range got {
			failed := r.kind == source.ConnectFailed
			if r.tid <= 0 || r.tuple.Proto != source.TCP || failed && r.tuple.LocalPort != 0 {
				t.Errorf("record %+v", r)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	d, page := captured(b), testdata(b, "missed.page")
	var records []record
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		records, _, _ = d.decode(page, records[:0])
	}
}
