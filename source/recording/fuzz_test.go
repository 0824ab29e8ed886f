package recording_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"ephtop/source"
	"ephtop/source/recording"
	"ephtop/source/recording/anonymize"
)

// FuzzReader reads anything as a recording.
func FuzzReader(f *testing.F) {
	recorded := compress(header, full, `{"n":1,"t":2,"scopes":0}`, `{"end":true,"moments":2}`)
	f.Add(recorded)
	f.Add(recorded[:len(recorded)-20])
	broken := bytes.Clone(recorded)
	broken[len(broken)/2] ^= 0x55
	f.Add(broken)
	f.Add(record(f, moments(1, 40, 4, 2)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 1<<12 {
			readAndWrite(t, b)
		}
	})
}

// FuzzIndex has anything stand where an index does, as it is or within what makes
// it one. What it lists are frames, and the recording is played to its end.
func FuzzIndex(f *testing.F) {
	const moments = 130
	var out bytes.Buffer
	w, err := recording.NewSmallWriter(&out, recording.Header{})
	if err != nil {
		f.Fatal(err)
	}
	for n := range moments {
		if err := w.Write(&source.Moment{Time: epoch.Add(time.Duration(n) * time.Second)}); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	recorded := out.Bytes()
	whole := body(recorded)
	at := recording.ReadIndex(recorded)
	for _, b := range [][]byte{
		nil, recorded[len(whole):], indexed(whole, at[0], at[2])[len(whole):], indexed(whole, at[0], at[1]+5, at[2])[len(whole):],
		append(compress(`{"n":130,"t":200,"full":true,"scopes":0}`), recorded[len(whole):]...),
	} {
		f.Add(b, false)
		f.Add(b[min(8, len(b)):max(min(8, len(b)), len(b)-9)], true)
	}
	f.Fuzz(func(t *testing.T, tail []byte, wrap bool) {
		if len(tail) > 1<<12 {
			return
		}
		put := binary.LittleEndian.AppendUint32
		b := slices.Clone(whole)
		if wrap {
			b = append(put(put(b, 0x184d2a5e), uint32(len(tail)+9)), tail...)
			b = put(append(put(b, uint32(len(tail)/8)), 0), 0x8f92eab1)
		} else {
			b = append(b, tail...)
		}
		for i, at := range recording.ReadIndex(b) {
			if (i == 0) != (at == 0) || !bytes.HasPrefix(b[at:], []byte("\x28\xb5\x2f\xfd")) {
				t.Fatalf("frame %d is at %d, where none is", i, at)
			}
		}
		p := newPlayer(t, b)
		first, last := p.Span()
		if err := p.Seek(first.Add(last.Sub(first) / 2)); err != nil && !ours(err) {
			t.Error(err)
		}
		if err := p.Seek(first); err != nil {
			t.Fatal(err)
		}
		for n := range moments {
			if err := p.Poll(t.Context(), new(source.Moment)); err != nil {
				t.Fatalf("moment %d: %v", n, err)
			}
		}
		if err := p.Poll(t.Context(), new(source.Moment)); err != io.EOF && err != recording.ErrJoined {
			t.Errorf("at the end: %v", err)
		}
	})
}

// FuzzLines reads anything as the moments of a recording.
func FuzzLines(f *testing.F) {
	f.Add(full + "\n" + `{"n":1,"t":1.5,"scopes":1}` + "\n" + `{"n":1,"scope":{"netns":5},"gone":[2],"changed":[{"id":1,"rx":4,"until":7}]}`)
	f.Add(full + "\n" + `{"n":1,"t":1,"scopes":0,"lost_events":3,"events":[{"kind":"closed","at":-1,"tuple":{"proto":"tcp","local":"::"},"process":{"pid":4}}]}`)
	f.Add(`{"n":0,"t":0,"full":true,"scopes":1,"mono":5,"limits":[{"code":"a","detail":"\ufffd"}]}` + "\n" +
		`{"n":0,"scope":{"host":"a","kind":"pod"},"age":1,"settings":{"range":{"low":1,"high":2},"reserved":[{"low":1}],"time_wait":60}}`)
	f.Add(`{"n":0,"t":0,"full":true,"scopes":0,"events":[{"kind":"closed"}]}`)
	f.Add(full + "\n" + `{"n":1,"t":1,"scopes":1}` + "\n" + `{"n":1,"scope":{"netns":5},"blocked":[1,[3,5]],"vrfs":[{"interface":2,"blocked":[[7,9]]}]}` +
		"\n" + `{"n":2,"t":2,"scopes":1}` + "\n" + `{"n":2,"scope":{"netns":5},"freed":[1,4],"vrfs":[{"interface":2,"freed":[[7,9]]}]}`)
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<15))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, lines string) {
		if len(lines) < 1<<12 {
			readAndWrite(t, enc.EncodeAll([]byte(header+"\n"+lines+"\n"), nil))
		}
	})
}

// FuzzText writes anything as a text.
func FuzzText(f *testing.F) {
	f.Add("bad \xff\xc3 utf8 \xed\xb2\x80")
	f.Fuzz(func(t *testing.T, text string) {
		m := &source.Moment{Time: epoch, Host: text, Processes: []source.Process{{Name: text}}}
		read, err := readAll(t, recordSmall(t, []*source.Moment{m}))
		want := strings.ToValidUTF8(text, "\ufffd")
		if err != io.EOF || len(want) < 1<<17 && (read[0].Host != want || read[0].Processes[0].Name != want) {
			t.Errorf("%q became %v, then %v", text, read, err)
		}
	})
}

// readAndWrite plays what may be a recording. What can be read can be written,
// made anonymous too, and comes out of another recording unchanged.
func readAndWrite(t *testing.T, b []byte) {
	p, err := recording.NewPlayer(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return
	}
	defer p.Close()
	var list []*source.Moment
	for len(list) < 10 {
		var m source.Moment
		if p.Poll(t.Context(), &m) != nil {
			break
		}
		checkIndices(t, &m)
		list = append(list, &m)
	}
	if len(list) == 0 {
		return
	}
	first, last := p.Span()
	if err := p.Seek(first.Add(last.Sub(first) / 2)); err == nil {
		if err := p.Poll(t.Context(), new(source.Moment)); err != nil {
			t.Errorf("poll after seeking: %v", err)
		}
	}
	writeAndRead(t, list)
	a, err := anonymize.NewAnonymizer()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if err := a.Apply(m); err != nil {
			t.Fatal(err)
		}
	}
	writeAndRead(t, list)
}

// writeAndRead tells whether moments come out of a recording as they were.
func writeAndRead(t *testing.T, list []*source.Moment) {
	t.Helper()
	again, err := readAll(t, recordSmall(t, list))
	if err != io.EOF || len(again) != len(list) {
		t.Fatalf("%d moments of %d, then %v", len(again), len(list), err)
	}
	for i := range list {
		if d := differ(list[i], again[i]); d != "" {
			t.Errorf("moment %d: %s", i, d)
		}
	}
}

// recordSmall is record with a writer of little memory, in a fraction of the time.
func recordSmall(t *testing.T, list []*source.Moment) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := recording.NewSmallWriter(&out, recording.Header{})
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range list {
		if err := w.Write(m); err != nil {
			t.Fatalf("write moment %d: %v", i, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
