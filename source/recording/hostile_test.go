package recording_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"ephtop/source"
	"ephtop/source/recording"
	"ephtop/source/recording/anonymize"
)

// hostile are recordings that were made up to cost whoever reads them memory or
// time. Each gives one that is small for what it asks for.
var hostile = []struct {
	name string
	make func() []byte
	want error // what reading it ends with
}{
	{"frames of nothing", func() []byte {
		// RFC 8878: a frame of one raw block of no bytes.
		return follow(strings.Repeat("\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00", 200_000))
	}, recording.ErrCut},
	{"blocks of nothing", func() []byte {
		return follow("\x28\xb5\x2f\xfd\x00\x68" + strings.Repeat("\x00\x00\x00", 2_000_000))
	}, recording.ErrCut},
	{"frames to skip", func() []byte { return follow(strings.Repeat("\x50\x2a\x4d\x18\x00\x00\x00\x00", 200_000)) }, recording.ErrCut},
	{"tiny frames", func() []byte { return follow(strings.Repeat(string(compress(full)), 100_000)) }, recording.ErrDamaged},
	{"frames that never end", func() []byte {
		return follow(strings.Repeat(string(compress(`{"n":60,"t":0,"full":true,"scopes":60000}`)), 50_000))
	}, recording.ErrDamaged},
	{"an index of frames that are no points", func() []byte {
		b := compress(header, full)
		at := []int64{0}
		for range 100_000 {
			at = append(at, int64(len(b)))
			b = append(b, "\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00"...)
		}
		return indexed(b, at...)
	}, recording.ErrCut},
	{"damage in each frame", func() []byte {
		b := []byte(strings.Repeat(string(compress(full)), 50_000))
		for i := 30; i < len(b); i += 97 {
			b[i] ^= 0x55
		}
		return follow(string(b))
	}, recording.ErrDamaged},
	{"a line of spaces", func() []byte { return spaced(1, 100<<20) }, recording.ErrDamaged},
	{"many lines of spaces", func() []byte { return spaced(10, 30<<20) }, recording.ErrDamaged},
	{"one byte, repeated", func() []byte {
		b := []byte("\x28\xb5\x2f\xfd\x00\x68")
		begin := header + "\n" + `{"n":0,`
		b = append(append(b, byte(len(begin)<<3), byte(len(begin)>>5), 0), begin...)
		return append(b, bytes.Repeat([]byte{2, 0, 0x10, ' '}, 10_000)...) // RFC 8878: 128 KiB each
	}, recording.ErrDamaged},
	{"a window of 512 MB", func() []byte { // RFC 8878: the byte behind the descriptor
		text := header + "\n" + full + "\n"
		return []byte("\x28\xb5\x2f\xfd\x00\x98" + string([]byte{byte(len(text)<<3 | 1), byte(len(text) >> 5), 0}) + text)
	}, recording.ErrNotRecording},
	{"quiet namespaces", func() []byte { return listed(`"quiet":[`, `{},`, 4<<20) }, recording.ErrDamaged},
	{"cgroups", func() []byte { return listed(`"cgroups":[`, `{},`, 4<<20) }, recording.ErrDamaged},
	{"limits", func() []byte { return listed(`"limits":[`, `{},`, 4<<20) }, recording.ErrDamaged},
	{"events", func() []byte { return listed(`"events":[`, `{"tuple":{"proto":"tcp"}},`, 1<<20) }, recording.ErrDamaged},
	{"sockets", func() []byte {
		return pack(header+"\n"+`{"n":0,"t":0,"full":true,"scopes":1}`+"\n"+`{"n":0,"scope":{},"sockets":[`, `{"proto":"tcp"},`, 1<<20)
	}, recording.ErrDamaged},
	{"reserved ports", func() []byte {
		return compress(header, `{"n":0,"t":0,"full":true,"scopes":1}`,
			`{"n":0,"scope":{},"settings":{"reserved":[`+strings.Repeat(`{},`, 200_000)+`{}]}}`)
	}, recording.ErrDamaged},
	{"lists in lists", func() []byte { return listed(`"x":[`, `[],`, 40<<20) }, recording.ErrDamaged},
	{"names in an object", func() []byte {
		var b strings.Builder
		for i := range 400_000 {
			fmt.Fprintf(&b, `"x%d":0,`, i)
		}
		return compress(header, `{"n":0,"t":0,"full":true,"scopes":0,"x":{`+b.String()+`"y":0}}`)
	}, recording.ErrDamaged},
	{"namespaces", func() []byte {
		lines := []string{header, `{"n":0,"t":0,"full":true,"scopes":65536}`}
		for i := range 65536 {
			lines = append(lines, fmt.Sprintf(`{"n":0,"scope":{"netns":%d},"blocked":[[1,128]]}`, i))
		}
		return compress(lines...)
	}, recording.ErrDamaged},
	{"VRFs that fall", func() []byte {
		var b strings.Builder
		for i := 200_000; i > 0; i-- {
			fmt.Fprintf(&b, `{"interface":%d,"blocked":[1]},`, i)
		}
		return compress(header, `{"n":0,"t":0,"full":true,"scopes":1}`, `{"n":0,"scope":{},"vrfs":[`+strings.TrimSuffix(b.String(), ",")+`]}`)
	}, recording.ErrCut},
	{"moments at one time", func() []byte {
		lines := []string{header, full}
		for i := range 500_000 {
			lines = append(lines, fmt.Sprintf(`{"n":%d,"t":0,"scopes":0}`, i+1))
		}
		return compress(lines...)
	}, recording.ErrDamaged},
	{"names that are all long and all others", func() []byte {
		recorded := compress(header)
		for n := range 6 {
			var b strings.Builder
			for i := range 240 {
				fmt.Fprintf(&b, `{"id":%d,"name":"%s%d %d"},`, i+1, strings.Repeat("a", 120<<10), n, i)
			}
			line := fmt.Sprintf(`{"n":%d,"t":%d,"full":true,"scopes":0,"processes":[`, n, n) + strings.TrimSuffix(b.String(), ",") + "]}"
			recorded = append(recorded, compress(line)...)
		}
		return recorded
	}, recording.ErrCut},
	{"a recording that was cut", func() []byte { return compress(header, full)[:100] }, recording.ErrEmpty},
}

// follow has a recording go on with what is no part of it.
func follow(rest string) []byte { return []byte(string(compress(header, full)) + rest) }

// listed is a moment with a list of so many times the same.
func listed(begin, element string, n int) []byte {
	return pack(header+"\n"+`{"n":0,"t":0,"full":true,"scopes":0,`+begin, element, n)
}

// spaced are moments, each with so many spaces in its line.
func spaced(n, spaces int) []byte {
	var out []byte
	for i := range n {
		begin := fmt.Sprintf("%s\n"+`{"n":%d,"t":%d,"full":true,"scopes":0,`, header, i, i)
		if i > 0 {
			_, begin, _ = strings.Cut(begin, "\n")
			begin = "\"x\":0}\n" + begin
		}
		out = append(out, pack(begin, strings.Repeat(" ", 1<<10), spaces>>10)...)
	}
	return out
}

// pack compresses a beginning and so many times the same.
func pack(begin, element string, n int) []byte {
	var out bytes.Buffer
	enc, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err)
	}
	io.WriteString(enc, begin)
	part := strings.Repeat(element, 1000)
	for range n / 1000 {
		io.WriteString(enc, part)
	}
	enc.Close()
	return out.Bytes()
}

// copyAll does what anonymize does with a recording, and gives how it ended.
func copyAll(path string) error {
	p, err := recording.OpenFile(path)
	if err != nil {
		return err
	}
	defer p.Close()
	if errors.Is(p.End(), recording.ErrDamaged) {
		return p.End()
	}
	a, err := anonymize.NewAnonymizer()
	if err != nil {
		return err
	}
	w, err := recording.NewWriter(io.Discard, p.Header())
	if err != nil {
		return err
	}
	defer w.Close()
	var m source.Moment
	for {
		if err := anonymize.Anonymize(p, a).Poll(context.Background(), &m); err != nil {
			return err
		}
		if err := w.Write(&m); err != nil {
			return err
		}
	}
}
