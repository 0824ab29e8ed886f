package recording_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"ephtop/source"
	"ephtop/source/race"
	"ephtop/source/recording"
)

// small is a recording of three moments of two namespaces, and where each of
// the moments ends in it.
func small(t *testing.T) (recorded []byte, ends []int) {
	t.Helper()
	var out bytes.Buffer
	w := newWriter(t, &out)
	for i := range 3 {
		m := &source.Moment{Time: epoch.Add(time.Duration(i) * time.Second), Host: "db1", Limits: []source.Limit{{Code: "merged"}}}
		m.Processes = []source.Process{{PID: 7, Name: "api"}, {PID: int32(8 + i)}}
		m.Events = []source.Event{{Tuple: source.Tuple{Proto: source.TCP, RemotePort: 80}, Time: m.Time}}
		s := m.Add(source.Scope{Netns: 5})
		s.Settings.Range = source.PortRange{Low: 1, High: 2}
		for j := range uint64(3) {
			s.Sockets = append(s.Sockets, source.Socket{
				Proto: source.TCP, State: source.State(i + 1), LocalPort: 80, Cookie: uint64(i)/2 + j + 1, Timer: source.TimerKeepalive,
				Expires: 7000, Process: int32(j) - 1,
			})
		}
		m.Add(source.Scope{Netns: 7, Name: "web", Kind: source.ScopePod}).Sockets = s.Sockets[1:]
		if err := w.Write(m); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, out.Len())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), ends
}

// TestCutAnywhere cuts a recording behind each of its bytes: all moments that
// are whole are played, and then the player says that it was cut.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	recorded, ends := small(t)
	stride := 1
	if race.Enabled {
		stride = 11
	}
	for size := 0; size < len(recorded); size += stride {
		whole := 0
		for whole < len(ends) && ends[whole] <= size {
			whole++
		}
		live, err := recording.NewLive(bytes.NewReader(recorded[:size]))
		checkCut(t, fmt.Sprint("a pipe cut at ", size), whole, live, err)
		file, err := recording.NewPlayer(bytes.NewReader(recorded[:size]), int64(size))
		checkCut(t, fmt.Sprint("a file cut at ", size), whole, file, err)
		if err == nil && whole < len(ends) && !errors.Is(file.End(), recording.ErrCut) {
			t.Errorf("a file cut at %d says that it ends with %v", size, file.End())
		}
	}
}

// checkCut plays a recording that was cut behind so many whole moments. The
// lines of the next one may be out before the zstd blocks that end it.
func checkCut(t *testing.T, name string, whole int, p *recording.Player, err error) {
	t.Helper()
	got := 0
	if err == nil {
		defer p.Close()
		var m source.Moment
		for err = p.Poll(t.Context(), &m); err == nil; err = p.Poll(t.Context(), &m) {
			if got++; len(m.Snapshots) != 2 {
				t.Fatalf("%s: %d namespaces in moment %d", name, len(m.Snapshots), got)
			}
		}
	}
	want := recording.ErrCut
	switch {
	case got < whole || got > whole+1:
		t.Fatalf("%s: %d moments, want %d, then %v", name, got, whole, err)
	case got == 3 && err == io.EOF:
		return // the end line is there, and not the end of its frame
	case got == 0:
		want = recording.ErrEmpty
	}
	if name == "a pipe cut at 0" || name == "a file cut at 0" {
		want = recording.ErrNotRecording
	}
	if !errors.Is(err, want) {
		t.Fatalf("%s, after %d moments: %v, want %v", name, got, err, want)
	}
}

// TestEachBit flips each bit of a recording. What comes of it is an error of
// this package, in one line, and never a moment that points into nothing.
func TestEachBit(t *testing.T) {
	t.Parallel()
	recorded, _ := small(t)
	// A frame without a window, which costs memory, has all bits flipped.
	stride := 1
	if race.Enabled {
		stride = 17
	}
	for bits, b := range map[int][]byte{1: recorded, 8: repack(t, recorded)} {
		for i := 0; i < len(b); i += stride {
			for bit := range bits {
				flip := byte(1) << ((i + bit) % 8)
				b[i] ^= flip
				if err := playAll(t, b); !ours(err) || strings.Contains(err.Error(), "\n") {
					t.Errorf("byte %d ^ %#x of %d: %v", i, flip, len(b), err)
				}
				b[i] ^= flip
			}
		}
	}
}

// ours tells whether an error is one that the package says what it means.
func ours(err error) bool {
	for _, e := range []error{recording.ErrNotRecording, recording.ErrVersion, recording.ErrDamaged, recording.ErrEmpty, io.EOF} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// playAll plays a recording to its end.
func playAll(t *testing.T, recorded []byte) error {
	p, err := recording.NewPlayer(bytes.NewReader(recorded), int64(len(recorded)))
	if err != nil {
		return err
	}
	defer p.Close()
	var m source.Moment
	for {
		if err := p.Poll(t.Context(), &m); err != nil {
			return err
		}
		checkIndices(t, &m)
	}
}

func checkIndices(t *testing.T, m *source.Moment) {
	t.Helper()
	for i := range m.Snapshots {
		for _, k := range m.Snapshots[i].Sockets {
			if k.Process < source.NoProcess || int(k.Process) >= len(m.Processes) {
				t.Fatalf("process %d of %d", k.Process, len(m.Processes))
			}
		}
	}
}

// compress packs lines as the zstd program would.
func compress(lines ...string) []byte {
	return encoder().EncodeAll([]byte(strings.Join(lines, "\n")+"\n"), nil)
}

// encoder is made once: it takes megabytes, and some tests pack a moment a time.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return enc
})

const header = `{"recording":"ephtop","version":2,"start":"2026-11-22T12:00:00Z"}`

func TestWhatIsNoRecording(t *testing.T) {
	t.Parallel()
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
		{"another program's", compress(`{"recording":"other","version":2}`), recording.ErrNotRecording},
		{"no version", compress(`{"recording":"ephtop"}`), recording.ErrNotRecording},
		{"version 0", compress(`{"recording":"ephtop","version":0}`), recording.ErrNotRecording},
		{"a later version", compress(`{"recording":"ephtop","version":3,"start":7,"x":[]}`), recording.ErrVersion},
		{"a later version with other fields", compress(`{"recording":"ephtop","new":{"a":[1,{}]},"version":4}`), recording.ErrVersion},
		{"no start", compress(`{"recording":"ephtop","version":2}`), recording.ErrDamaged},
		{"a start that is nothing", compress(`{"recording":"ephtop","version":2,"start":null}`), recording.ErrDamaged},
		{"no time that is one", compress(`{"recording":"ephtop","version":2,"start":"noon"}`), recording.ErrDamaged},
		{"the year 10000", compress(`{"recording":"ephtop","version":2,"start":"10000-01-01T00:00:00Z"}`), recording.ErrDamaged},
		{"a year that is 10000 in the east", compress(`{"recording":"ephtop","version":2,"start":"9999-12-31T23:00:00Z"}`), recording.ErrDamaged},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
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

func TestAnOlderVersionIsRefusedInOneLine(t *testing.T) {
	t.Parallel()
	_, err := recording.Open(bytes.NewReader(compress(`{"recording":"ephtop","version":1,"start":"2026-11-22T12:00:00Z"}`)))
	const want = "recorded by an older ephtop (version 1 of the format): this program reads version 2"
	if !errors.Is(err, recording.ErrVersion) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// full is a moment to which what follows is a change.
const full = `{"n":0,"t":0,"full":true,"scopes":1,"os":"linux","processes":[{"id":1},{"id":2,"pid":7,"name":"api"}]}` + "\n" +
	`{"n":0,"scope":{"netns":5},"sockets":[{"proto":"tcp","state":"LISTEN","local":"0.0.0.0","local_port":80,"process":2},` +
	`{"id":2,"proto":"udp","state":"BOUND","local":"::1","local_port":53}]}`

func TestDamage(t *testing.T) {
	t.Parallel()
	// next gives a moment of one namespace with these fields.
	next := func(fields string) string {
		return `{"n":1,"t":1.5,"scopes":1}` + "\n" + `{"n":1,"scope":{"netns":5}` + fields + `}`
	}
	change := func(fields string) string { return next(`,"changed":[{"id":1,` + fields + `}]`) }
	host := func(fields string) string { return `{"n":1,"t":1.5,"scopes":0,` + fields + `}` }
	cases := []struct {
		name, lines string
		want        string // in the error; "" for none
	}{
		{"nothing wrong", next(`,"gone":[2],"changed":[{"id":1,"rx":4}],"sockets":[{"id":3,"proto":"tcp","state":"BOUND"}]`), ""},
		{"an id that is free again", next(`,"gone":[2],"sockets":[{"id":2,"proto":"tcp"}]`), ""},
		{"a process ends and another begins", host(`"ended":[1],"processes":[{"id":1,"pid":4}]`), ""},
		{"an id behind other fields", next(`,"changed":[{"rx":4,"id":1},{ "id" : 2 }]`), ""},
		{"two ids", next(`,"changed":[{"id":1,"id":2}]`), "duplicate"},
		{"an id in parts", next(`,"changed":[{"id":1.5,"rx":4}]`), "invalid"},
		{"an id that is a text", next(`,"changed":[{"id":"1","rx":4}]`), "string"},
		{"fields that nobody knows", `{"n":1,"t":1,"scopes":1,"x":{"y":[1,null,-2e9,"\u00e4",true]}}` + "\n" + `{"n":1,"scope":{"netns":5,"v":1},"changed":[{"id":1,"new":[]}]}`, ""},
		{"spaces", ` { "n" : 1 , "t" : 1.5 , "scopes" : 0 } `, ""},
		{"a timer without a name", change(`"timer":77,"until":7`), ""},
		{"not JSON", `{"n":1,"t":1,`, "unexpected EOF"},
		{"no object", `[]`, "an object expected"},
		{"something behind", host(`"took":1} {`), "after top-level value"},
		{"no number", `{"t":1}`, "without its number"},
		{"no time", `{"n":1,"took":1}`, "no time"},
		{"a moment is missing", `{"n":2,"t":1}`, "moment 2 follows"},
		{"the same moment again", full, "moment 0 follows"},
		{"time before the start", `{"n":1,"t":-1}`, "the time goes back"},
		{"time beyond all bounds", `{"n":1,"t":9999999999}`, "bad seconds"},
		{"too many decimals", `{"n":1,"t":1.0000000001}`, "bad seconds"},
		{"full too late", host(`"took":0,"full":true`), "in a wrong place"},
		{"n twice", host(`"n":1`), "duplicate"},
		{"end after too few", `{"end":true,"moments":7}`, "ends after 7"},
		{"too many namespaces", `{"n":1,"t":1,"scopes":70000}`, "70000 namespaces"},
		{"less than no namespace", `{"n":1,"t":1,"scopes":-1}`, "-1 namespaces"},
		{"one namespace twice", `{"n":1,"t":1,"scopes":2}` + "\n" + `{"n":1,"scope":{"netns":5}}` + "\n" + `{"n":1,"scope":{"netns":5}}`, "twice"},
		{"a namespace of another moment", `{"n":1,"t":1,"scopes":1}` + "\n" + `{"n":0,"scope":{"netns":5}}`, "a namespace is missing"},
		{"a scope in a wrong place", `{"n":1,"t":1,"scopes":1}` + "\n" + `{"n":1,"age":1,"scope":{"netns":5}}`, "in a wrong place"},
		{"an unknown socket changes", next(`,"changed":[{"id":77,"rx":1}]`), "unknown socket 77"},
		{"another namespace's socket changes", `{"n":1,"t":1,"scopes":1}` + "\n" + `{"n":1,"scope":{"netns":6},"changed":[{"id":1}]}`, "unknown socket 1"},
		{"an unknown socket goes", next(`,"gone":[77]`), "unknown socket 77"},
		{"a socket goes twice", next(`,"gone":[2,2]`), "unknown socket 2"},
		{"a new socket has an id that is taken", next(`,"sockets":[{"id":2,"proto":"tcp"}]`), "out of order"},
		{"a new socket leaves ids out", next(`,"sockets":[{"id":4,"proto":"tcp"}]`), "out of order"},
		{"a new socket has no id", next(`,"sockets":[{"id":0,"proto":"tcp"}]`), "out of order"},
		{"a new socket without a protocol", next(`,"sockets":[{"id":3,"state":"LISTEN"}]`), "neither TCP nor UDP"},
		{"sockets twice", next(`,"sockets":[],"sockets":[]`), "duplicate"},
		{"sockets that are no list", next(`,"sockets":{}`), "a list expected"},
		{"an unknown protocol", change(`"proto":"sctp"`), `"sctp" is unknown`},
		{"no protocol any more", change(`"proto":0`), "neither TCP nor UDP"},
		{"an unknown state", change(`"state":"ASLEEP"`), `"ASLEEP" is unknown`},
		{"a state above all", change(`"state":13`), "in state 13"},
		{"an unknown timer", change(`"timer":"egg"`), `"egg" is unknown`},
		{"a port above all", change(`"local_port":65536`), "out of range"},
		{"a host name for an address", change(`"local":"db1"`), "bad address"},
		{"an address with a zone", change(`"local":"fe80::1%eth0"`), "bad address"},
		{"a queue above all", change(`"rx":4294967296`), "out of range"},
		{"a number above all", change(`"cookie":18446744073709551616`), "out of range"},
		{"a number below all", change(`"cookie":-1`), "invalid syntax"},
		{"a timer that never ends", change(`"until":5000000.1`), "deadline"},
		{"a timer in parts of milliseconds", change(`"until":2.0001`), "deadline"},
		{"an unknown process", change(`"process":3`), "unknown process 3"},
		{"the process of a socket ends", "{\"n\":1,\"t\":1,\"scopes\":1,\"ended\":[2]}\n{\"n\":1,\"scope\":{\"netns\":5}}", "unknown process 2"},
		{"an unknown process ends", host(`"ended":[3]`), "unknown process 3"},
		{"a process leaves ids out", host(`"processes":[{"id":4}]`), "out of order"},
		{"a process without an id", host(`"processes":[{"pid":4}]`), "out of order"},
		{"an event without a protocol", host(`"events":[{"kind":"closed"}]`), "neither TCP nor UDP"},
		{"an unknown event", host(`"events":[{"kind":"opened","tuple":{"proto":"tcp"}}]`), `"opened" is unknown`},
		{"an event of no known number", host(`"events":[{"kind":9,"tuple":{"proto":"tcp"}}]`), "unknown"},
		{"an event in the far future", host(`"events":[{"at":9223372036.9,"tuple":{"proto":"tcp"}}]`), "bad seconds"},
		{"nested without end", host(`"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000)), "depth"},
		{"a text without an end", host(`"host":"abc`), "invalid character"},
		{"a text too long", host(`"host":"` + strings.Repeat("a", 200_000) + `"`), "text of 200000 bytes"},
		{"half a character", host(`"host":"\ud83d"`), "surrogate"},
		{"not UTF-8", host("\"host\":\"\xff\""), "UTF-8"},
		{"ports that are blocked and free again", next(`,"blocked":[5,[7,9]],"vrfs":[{"interface":3,"blocked":[1]},{"interface":3,"freed":[1]}]`), ""},
		{"VRFs in any order", next(`,"vrfs":[{"interface":9,"blocked":[1]},{"interface":3,"blocked":[[2,5]]},{"interface":9,"freed":[1],"blocked":[7]}]`), ""},
		{"many names in an object", host(`"x":{` + strings.Repeat(`"a":1,`, 300) + `"b":1}`), "more than 256 names"},
		{"a port is blocked twice", next(`,"blocked":[1],"vrfs":[{"interface":3,"blocked":[1]},{"interface":3,"blocked":[1]}]`), "port 1 is blocked twice"},
		{"a port was not blocked", next(`,"freed":[7]`), "port 7 was not blocked"},
		{"blocked ports that do not rise", next(`,"blocked":[[1,5],5]`), "port 5 out of order"},
		{"a stretch of ports that goes back", next(`,"blocked":[[5,1],4]`), "port 4 out of order"},
		{"a bad range", change(`"x":1}],"settings":{"range":{"low":1,"high":65536}},"y":[{"z":1`), "out of range"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			list, err := readAll(t, compress(header, full, c.lines, `{"end":true,"moments":2}`))
			if c.want == "" {
				if err != io.EOF || len(list) != 2 {
					t.Errorf("%d moments, then %v", len(list), err)
				}
				return
			}
			if !errors.Is(err, recording.ErrDamaged) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "at moment 1") {
				t.Errorf("error %v, want %q at moment 1", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			if len(list) != 1 || len(list[0].Snapshots[0].Sockets) != 2 {
				t.Errorf("the moment before is not read: %d", len(list))
			}
		})
	}
}

func TestItMustBeginWithAFullMoment(t *testing.T) {
	t.Parallel()
	for _, line := range []string{`{"n":0,"t":0,"scopes":0}`, `{"end":true,"moments":0}`} {
		if _, err := readAll(t, compress(header, line)); !errors.Is(err, recording.ErrDamaged) {
			t.Errorf("%s: error %v", line, err)
		}
	}
}

// RFC 3339, in which reports write times, has years of four digits.
func TestATimeBeyondTheYear9999(t *testing.T) {
	t.Parallel()
	late := strings.Replace(header, "2026", "9999", 1)
	for lines, want := range map[string]string{
		`{"n":0,"t":3456000,"full":true,"scopes":0}`:                                             "a time in the year 10000",
		`{"n":0,"t":0,"full":true,"scopes":0,"events":[{"at":3456000,"tuple":{"proto":"tcp"}}]}`: "a time in the year 10000",
	} {
		_, err := readAll(t, compress(late, lines))
		if !errors.Is(err, recording.ErrDamaged) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestWhatThePackageCommentSays reads lines as people may write them.
func TestWhatThePackageCommentSays(t *testing.T) {
	t.Parallel()
	list, err := readAll(t, compress(header, full, `{"n":1,"t":1.5,"scopes":1}`,
		`{"n":1,"scope":{"netns":5},"gone":[2],"changed":[{"id":1,"timer":"keepalive","until":2.25,"process":0}]}`, `{"end":true,"moments":2}`))
	if err != io.EOF {
		t.Fatal(err)
	}
	want := source.Socket{
		Local: source.Addr4([4]byte{}), LocalPort: 80, Proto: source.TCP, State: source.Listen, Process: source.NoProcess,
		Timer: source.TimerKeepalive, Expires: 750,
	}
	if d := cmp.Diff([]source.Socket{want}, list[1].Snapshots[0].Sockets); d != "" {
		t.Error(d)
	}
}

// bomb is a recording whose line has no end, which zstd makes of few bytes.
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
	t.Parallel()
	if race.Enabled {
		t.Skip("160 MB take a minute with the race detector, and run without it")
	}
	_, err := readAll(t, bomb(t, `{"n":0,`))
	if !errors.Is(err, recording.ErrDamaged) || !strings.Contains(err.Error(), " bytes") {
		t.Errorf("error %v", err)
	}
}

// Few bytes of a list must not become much memory.
func TestMoreObjectsThanCanBeAreNotRead(t *testing.T) {
	t.Parallel()
	_, err := readAll(t, compress(header, `{"n":0,"t":0,"full":true,"scopes":0,"limits":[{}`+strings.Repeat(",{}", 4<<20)+`]}`))
	if !errors.Is(err, recording.ErrDamaged) || !strings.Contains(err.Error(), "objects") {
		t.Errorf("error %v", err)
	}
}

func TestALargeWindowIsRefused(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
	recorded := record(t, moments(1, 40, 4, 3))
	r, err := recording.Open(failing{bytes.NewReader(recorded[:len(recorded)/2])})
	if err == nil {
		defer r.Close()
		var m source.Moment
		for err == nil {
			err = r.Next(&m)
		}
	}
	if !errors.Is(err, errBroken) || errors.Is(err, recording.ErrDamaged) {
		t.Errorf("error %v", err)
	}
}

// What the settings say is as much a claim of the file as anything.
func TestSettingsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, set := range []string{
		`{"range":{"low":60000,"high":40000}}`, `{"range":{"low":0,"high":9}}`, `{"reserved":[{"low":9,"high":1}]}`,
	} {
		_, err := readAll(t, compress(header, `{"n":0,"t":0,"full":true,"scopes":1}`, `{"n":0,"scope":{},"settings":`+set+`}`))
		if !errors.Is(err, recording.ErrDamaged) || !strings.Contains(err.Error(), "settings") {
			t.Errorf("%s: error %v, want one about the settings", set, err)
		}
	}
}

// A line of nothing is no end: what stands behind it would be lost in silence.
func TestABlankLineIsNoEnd(t *testing.T) {
	t.Parallel()
	scope := `{"n":1,"scope":{}}`
	for name, lines := range map[string][]string{
		"before the first moment": {header, "", full},
		"between moments":         {header, full, " ", `{"n":1,"t":1,"scopes":0}`, `{"end":true,"moments":2}`},
		"for a namespace":         {header, full, `{"n":1,"t":1,"scopes":1}`, "", `{"end":true,"moments":2}`},
		"before a namespace":      {header, full, `{"n":1,"t":1,"scopes":1}`, "\t", scope, `{"end":true,"moments":2}`},
	} {
		_, err := readAll(t, compress(lines...))
		if !errors.Is(err, recording.ErrDamaged) || errors.Is(err, io.EOF) {
			t.Errorf("%s: error %v, want that it is damaged", name, err)
		}
	}
}
