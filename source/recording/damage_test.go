package recording_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"ephtop/source"
	"ephtop/source/recording"
)

// TestCutAnywhere cuts a recording behind each of its first and last bytes and
// behind some between: all moments that are whole are read, and the reader says
// that it was cut.
func TestCutAnywhere(t *testing.T) {
	moments := hostMoments(9, 30, 4, 63)
	var out bytes.Buffer
	w := newWriter(t, &out)
	var ends []int // by moment
	for i := range moments {
		if err := w.Write(moments[i]); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, out.Len())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for size := 0; size < out.Len(); size++ {
		if size > 1500 && size < out.Len()-300 {
			size += 40
		}
		want := 0
		for want < len(ends) && ends[want] <= size {
			want++
		}
		r, err := recording.Open(bytes.NewReader(out.Bytes()[:size]))
		if err != nil {
			if want > 0 || !errors.Is(err, recording.ErrNotRecording) && !errors.Is(err, recording.ErrEmpty) {
				t.Fatalf("cut at %d: %v", size, err)
			}
			continue
		}
		var s source.Snapshot
		got := 0
		for err = r.Next(&s); err == nil; err = r.Next(&s) {
			got++
		}
		r.Close()
		// The last lines may be out before the frame that they end is whole.
		whole := got == len(moments) && err == io.EOF
		if got < want || got > want+1 || !errors.Is(err, recording.ErrCut) && !whole {
			t.Fatalf("cut at %d: %d moments, want %d, then %v", size, got, want, err)
		}
	}
}

// compress packs lines as the zstd program would.
func compress(lines ...string) []byte {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return enc.EncodeAll([]byte(strings.Join(lines, "\n")+"\n"), nil)
}

const header = `{"recording":"ephtop","version":1,"start":"2026-11-22T12:00:00Z"}`

func TestWhatIsNoRecording(t *testing.T) {
	var zipped bytes.Buffer
	gz := gzip.NewWriter(&zipped)
	fmt.Fprintln(gz, header)
	gz.Close()
	cases := []struct {
		name string
		in   []byte
		want error
	}{
		{"nothing", nil, recording.ErrNotRecording},
		{"text", []byte("hello, world\n"), recording.ErrNotRecording},
		{"JSON that is not compressed", []byte(header + "\n"), recording.ErrNotRecording},
		{"gzip", zipped.Bytes(), recording.ErrNotRecording},
		{"random bytes", []byte("\x93\x12\xfe\x00\x81\x9a\xff\xee\x31\x33\x37"), recording.ErrNotRecording},
		{"zstd of text", compress("hello"), recording.ErrNotRecording},
		{"zstd of zeros", compress(strings.Repeat("\x00", 1<<20)), recording.ErrNotRecording},
		{"another program's", compress(`{"recording":"other","version":1}`), recording.ErrNotRecording},
		{"no version", compress(`{"recording":"ephtop"}`), recording.ErrNotRecording},
		{"a later version", compress(`{"recording":"ephtop","version":2,"start":7,"x":[]}`), recording.ErrNotRecording},
		{"a later version that keeps the header", compress(`{"recording":"ephtop","version":2,"start":"?"}`), recording.ErrVersion},
		{"no time", compress(`{"recording":"ephtop","version":1}`), recording.ErrDamaged},
		{"the same with fields that nobody knows", compress(`{"recording":"ephtop","new":{"a":[1,{}]},"version":3,"start":""}`), recording.ErrVersion},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := recording.Open(bytes.NewReader(c.in))
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

// full is a moment to which what follows is a change.
const full = `{"n":0,"t":0,"full":true,"os":"linux","processes":[{"id":2,"pid":7,"name":"api"}],"sockets":[` +
	`{"id":3,"proto":"tcp","state":"LISTEN","local":"0.0.0.0:80","process":2},{"proto":"udp","state":"BOUND","local":"[::1]:53"}]}`

func TestDamage(t *testing.T) {
	cases := []struct {
		name, line string
		want       string // in the error; "" for none
	}{
		{"nothing wrong", `{"n":1,"t":1.5,"gone":[4],"changed":[{"id":3,"rx":4}],"sockets":[{"id":9,"proto":"tcp","state":"BOUND"}]}`, ""},
		{"fields that nobody knows", `{"n":1,"t":1.5,"x":{"y":[1,null,-2e9,"\u00e4",true]},"changed":[{"id":3,"new":[]}]}`, ""},
		{"spaces", ` { "n" : 1 , "t" : 1.5 , "gone" : [ 3 , 4 ] } `, ""},
		{"not JSON", `{"n":1,"t":1,`, "byte"},
		{"no object", `[]`, `'{' expected`},
		{"something behind", `{"n":1,"t":1} {}`, "more than one value"},
		{"no number", `{"t":1}`, "without its number"},
		{"no time", `{"n":1,"took":1}`, "without its time"},
		{"a moment is missing", `{"n":2,"t":1}`, "moment 2 follows"},
		{"the same moment again", full, "moment 0 follows"},
		{"time before the start", `{"n":1,"t":-1}`, "the time goes back"},
		{"time beyond all bounds", `{"n":1,"t":9999999999}`, "seconds expected"},
		{"too many decimals", `{"n":1,"t":1.0000000001}`, "seconds expected"},
		{"full too late", `{"n":1,"t":1,"took":0,"full":true}`, "in a wrong place"},
		{"n twice", `{"n":1,"t":1,"n":1}`, "in a wrong place"},
		{"end after too few", `{"end":true,"moments":7}`, "ends after 7"},
		{"an unknown socket changes", `{"n":1,"t":1,"changed":[{"id":77,"rx":1}]}`, "unknown socket 77"},
		{"an unknown socket goes", `{"n":1,"t":1,"gone":[77]}`, "77 ends, but is unknown"},
		{"a socket goes twice", `{"n":1,"t":1,"gone":[3,3]}`, "out of order"},
		{"a socket changes twice", `{"n":1,"t":1,"changed":[{"id":3},{"id":3}]}`, "unknown socket 3"},
		{"a new socket has an old id", `{"n":1,"t":1,"sockets":[{"id":3,"proto":"tcp"}]}`, "out of order"},
		{"a new socket without an id", `{"n":1,"t":1,"sockets":[{"proto":"tcp"}]}`, "out of order"},
		{"a new socket without a protocol", `{"n":1,"t":1,"sockets":[{"id":5,"state":"LISTEN"}]}`, "no protocol"},
		{"sockets twice", `{"n":1,"t":1,"sockets":[{"id":5,"proto":"tcp"}],"sockets":[]}`, "sockets twice"},
		{"changes behind new sockets", `{"n":1,"t":1,"sockets":[{"id":5,"proto":"tcp"}],"changed":[{"id":5}]}`, "in a wrong place"},
		{"a full moment with changes", `{"n":1,"t":1,"full":true,"changed":[]}`, "in a wrong place"},
		{"a full moment where something goes", `{"n":1,"t":1,"full":true,"gone":[3]}`, "full moment"},
		{"an unknown protocol", `{"n":1,"t":1,"changed":[{"id":3,"proto":"sctp"}]}`, "unknown protocol"},
		{"an unknown state", `{"n":1,"t":1,"changed":[{"id":3,"state":"ASLEEP"}]}`, "unknown state"},
		{"an unknown timer", `{"n":1,"t":1,"changed":[{"id":3,"timer":"egg"}]}`, "unknown timer"},
		{"a port above all", `{"n":1,"t":1,"changed":[{"id":3,"local":"1.2.3.4:65536"}]}`, "bad address"},
		{"a host name for an address", `{"n":1,"t":1,"changed":[{"id":3,"local":"db1:5432"}]}`, "bad address"},
		{"an address with a zone", `{"n":1,"t":1,"changed":[{"id":3,"local":"[fe80::1%eth0]:1"}]}`, "bad address"},
		{"a queue above all", `{"n":1,"t":1,"changed":[{"id":3,"rx":4294967296}]}`, "larger than"},
		{"a number above all", `{"n":1,"t":1,"changed":[{"id":3,"cookie":18446744073709551616}]}`, "whole number"},
		{"a number below all", `{"n":1,"t":1,"changed":[{"id":3,"cookie":-1}]}`, "whole number"},
		{"a timer that never ends", `{"n":1,"t":1,"changed":[{"id":3,"until":5000000.1}]}`, "deadline"},
		{"an unknown process", `{"n":1,"t":1,"changed":[{"id":3,"process":1}]}`, "unknown process 1"},
		{"the process of a socket ends", `{"n":1,"t":1,"ended":[2]}`, "unknown process 2"},
		{"an old id for a new process", `{"n":1,"t":1,"processes":[{"id":1,"pid":4}]}`, "out of order"},
		{"a process twice", `{"n":1,"t":1,"processes":[{"id":5},{"id":5}]}`, "out of order"},
		{"an unknown actor", `{"n":1,"t":1,"events":[{"kind":"closed","proto":"tcp","actor":0}]}`, "unknown actor 0"},
		{"an unknown event", `{"n":1,"t":1,"events":[{"kind":"opened"}]}`, "unknown event"},
		{"nested without end", `{"n":1,"t":1,"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "nested too deep"},
		{"a text without an end", `{"n":1,"t":1,"host":"abc}`, "control character"},
		{"a text too long", `{"n":1,"t":1,"host":"` + strings.Repeat("a", 200_000) + `"}`, "text of 200000 bytes"},
		{"a text too long with escapes", `{"n":1,"t":1,"host":"` + strings.Repeat(`\n`, 200_000) + `"}`, "more than"},
		{"half a character", `{"n":1,"t":1,"host":"\ud83d"}`, "half a character"},
		{"not UTF-8", "{\"n\":1,\"t\":1,\"host\":\"\xff\"}", "not UTF-8"},
		{"a bad range", `{"n":1,"t":1,"settings":{"range":"1-65536"}}`, "bad port range"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			list, err := readAll(t, compress(header, full, c.line, `{"end":true,"moments":2}`))
			if c.want == "" {
				if err != io.EOF || len(list) != 2 {
					t.Errorf("%d moments, then %v", len(list), err)
				}
				return
			}
			if !errors.Is(err, recording.ErrDamaged) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "at moment 1") {
				t.Errorf("error %v, want %q at moment 1", err, c.want)
			}
			if len(list) != 1 || len(list[0].Sockets) != 2 {
				t.Errorf("the moment before is not read: %d", len(list))
			}
		})
	}
}

func TestItMustBeginWithAFullMoment(t *testing.T) {
	_, err := readAll(t, compress(header, `{"n":0,"t":0}`))
	if !errors.Is(err, recording.ErrDamaged) {
		t.Errorf("error %v", err)
	}
}

// TestWhatThePackageCommentSays reads lines as people may write them.
func TestWhatThePackageCommentSays(t *testing.T) {
	list, err := readAll(t, compress(header, full,
		`{"n":1,"t":1.5,"changed":[{"id":3,"timer":"keepalive","until":2.25,"process":0}],"gone":[4]}`, `{"end":true,"moments":2}`))
	if err != io.EOF {
		t.Fatal(err)
	}
	want := source.Socket{
		Local: source.Addr4([4]byte{}), LocalPort: 80, Proto: source.TCP, State: source.Listen, Process: source.NoProcess,
		Timer: source.TimerKeepalive, Expires: 750,
	}
	if d := cmp.Diff([]source.Socket{want}, list[1].Sockets); d != "" {
		t.Error(d)
	}
}

// bomb is a reader of a line without an end, which zstd makes of few bytes.
func bomb(t *testing.T, begin string) []byte {
	t.Helper()
	var out bytes.Buffer
	enc, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(enc, header+"\n"+begin)
	chunk := bytes.Repeat([]byte("       "), 1<<17)
	for range 160 {
		enc.Write(chunk)
	}
	enc.Close()
	return out.Bytes()
}

func TestALineWithoutAnEndIsNotReadToItsEnd(t *testing.T) {
	_, err := readAll(t, bomb(t, `{"n":0,`))
	if !errors.Is(err, recording.ErrDamaged) || !strings.Contains(err.Error(), "a line of more than") {
		t.Errorf("error %v", err)
	}
}

func TestALargeWindowIsRefused(t *testing.T) {
	var out bytes.Buffer
	enc, err := zstd.NewWriter(&out, zstd.WithWindowSize(64<<20))
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(enc, header+"\n"+full+"\n")
	enc.Flush()
	if _, err := recording.Open(bytes.NewReader(out.Bytes())); !errors.Is(err, recording.ErrNotRecording) {
		t.Errorf("error %v", err)
	}
}

// failing fails after what it holds.
type failing struct{ io.Reader }

var errBroken = errors.New("the disk is broken")

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = errBroken
	}
	return n, err
}

func TestAnErrorOfReadingIsNotDamage(t *testing.T) {
	recorded, _ := record(t, hostMoments(1, 40, 4, 3))
	r, err := recording.Open(failing{bytes.NewReader(recorded[:len(recorded)/2])})
	if err == nil {
		defer r.Close()
		var s source.Snapshot
		for err == nil {
			err = r.Next(&s)
		}
	}
	if !errors.Is(err, errBroken) || errors.Is(err, recording.ErrDamaged) {
		t.Errorf("error %v", err)
	}
}
