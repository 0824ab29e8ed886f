package recording_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"ephtop/source"
	"ephtop/source/recording"
)

// FuzzReader reads anything as a recording.
func FuzzReader(f *testing.F) {
	recorded := compress(header, full, `{"n":1,"t":2,"gone":[3]}`, `{"end":true,"moments":2}`)
	f.Add(recorded)
	f.Add(recorded[:len(recorded)-20])
	broken := bytes.Clone(recorded)
	broken[len(broken)/2] ^= 0x55
	f.Add(broken)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 1<<12 {
			read(t, b)
		}
	})
}

// FuzzLines reads anything as the moments of a recording.
func FuzzLines(f *testing.F) {
	f.Add(full + "\n" + `{"n":1,"t":1.5,"gone":[4],"changed":[{"id":3,"rx":4,"until":7}]}`)
	f.Add(full + "\n" + `{"n":1,"t":1,"lost":3,"actors":[{"pid":4}],"events":[{"kind":"closed","at":-1,"proto":"tcp","local":"[::]:0"}]}`)
	f.Add(`{"n":0,"t":0,"full":true,"degraded":["a\udcff"],"settings":{"range":"1-2","reserved":["1-1"],"time_wait":60}}`)
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<15))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		if len(lines) < 1<<12 {
			read(t, enc.EncodeAll([]byte(header+"\n"+lines+"\n"), nil))
		}
	})
}

// read plays what may be a recording. What it reads must come through another
// recording unchanged.
func read(t *testing.T, b []byte) {
	p, err := recording.NewPlayer(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return
	}
	defer p.Close()
	var list []*source.Snapshot
	for len(list) < 10 {
		var s source.Snapshot
		if p.Poll(t.Context(), &s) != nil {
			break
		}
		for i := range s.Sockets {
			if k := &s.Sockets[i]; k.Process < source.NoProcess || int(k.Process) >= len(s.Processes) {
				t.Fatalf("process %d of %d", k.Process, len(s.Processes))
			}
		}
		list = append(list, &s)
	}
	if len(list) == 0 {
		return
	}
	first, last := p.Span()
	if err := p.Seek(first.Add(last.Sub(first) / 2)); err == nil {
		if err := p.Poll(t.Context(), new(source.Snapshot)); err != nil {
			t.Errorf("poll after seeking: %v", err)
		}
	}
	again, written := record(t, list)
	got, _ := readAll(t, again)
	if d := cmp.Diff(written, got, same); d != "" {
		t.Error(d)
	}
}
