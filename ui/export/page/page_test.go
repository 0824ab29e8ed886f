package page_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"ephtop/model"
	"ephtop/source/race"
	"ephtop/source/recording"
	"ephtop/ui/export"
	"ephtop/ui/export/internal/filmtest"
	"ephtop/ui/export/page"
	"ephtop/ui/screen"
)

// told is a recording with its page and its frames.
type told struct {
	page   []byte
	frames []shot
}

// shot is a frame that was kept; at is in milliseconds of the recording.
type shot struct {
	at    int64
	level model.Level
	text  string
	// styled is the text with its styles, as the browser's is read.
	styled string
}

// story is the demo at a speed of 8: ports run out, and come back.
func story(t *testing.T) told {
	t.Helper()
	if race.Enabled {
		t.Skip("the race detector has nothing to find here, and takes long")
	}
	return onceTold()
}

var onceTold = sync.OnceValue(func() told { return tell(filmtest.Demo("no-pool", 110), export.Options{Speed: 8}) })

// tell writes the page of a recording, and keeps what its frames look like.
func tell(data []byte, o export.Options) told {
	var b bytes.Buffer
	var all told
	for _, use := range []func(*export.Film) error{
		func(f *export.Film) error { return page.Write(&b, f, page.Options{Speed: o.Speed}) },
		func(f *export.Film) (err error) { all.frames, err = shoot(f, cmp.Or(o.Speed, 1)); return err },
	} {
		player, err := recording.NewPlayer(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			panic(err)
		}
		f, err := export.Open(context.Background(), player, o)
		if err != nil {
			panic(err)
		}
		if err := use(f); err != nil {
			panic(err)
		}
		f.Close()
		player.Close()
	}
	all.page = b.Bytes()
	return all
}

// shoot keeps all frames of a film.
func shoot(f *export.Film, speed float64) (all []shot, err error) {
	for {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		at := float64(frame.At) * speed / float64(time.Millisecond)
		all = append(all, shot{int64(math.Round(at)), frame.Level, filmtest.Text(frame.Canvas), styled(frame.Canvas)})
	}
}

// styled has each stretch of one style after its number, a line a row.
func styled(c *screen.Canvas) string {
	var b strings.Builder
	_, height := c.Size()
	for y := range height {
		last := -1
		for cell := range c.Cells(y) {
			if last != int(cell.Style) {
				last = int(cell.Style)
				fmt.Fprintf(&b, "<%d>", last)
			}
			b.WriteString(cell.Text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// write makes a page of a recording, with times of the recording.
func write(t testing.TB, data []byte, o export.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := page.Write(&b, filmtest.Open(t, data, o), page.Options{Speed: o.Speed}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read parses a page as a browser that runs scripts does, or one that does not.
func read(t testing.TB, b []byte, scripts bool) *html.Node {
	t.Helper()
	root, err := html.ParseWithOptions(bytes.NewReader(b), html.ParseOptionEnableScripting(scripts))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// elements are those in a node, in order.
func elements(root *html.Node) []*html.Node {
	var list []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			list = append(list, n)
		}
	}
	return list
}

// the reads the one element of a name and an id, "" for any.
func the(t testing.TB, root *html.Node, name, id string) *html.Node {
	t.Helper()
	var found []*html.Node
	for _, n := range elements(root) {
		if n.Data == name && (id == "" || attribute(n, "id") == id) {
			found = append(found, n)
		}
	}
	if len(found) != 1 {
		t.Fatalf("there are %d <%s id=%q>", len(found), name, id)
	}
	return found[0]
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// content is the text in an element.
func content(n *html.Node) string {
	var b strings.Builder
	for n := range n.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return b.String()
}

// Same recording, same options: the same bytes.
func TestPageIsTheSameAgain(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector has nothing to find here, and takes long")
	}
	t.Parallel()
	data := filmtest.Demo("no-pool", 20)
	if !bytes.Equal(write(t, data, export.Options{}), write(t, data, export.Options{})) {
		t.Error("the same recording made another page")
	}
}

// Three minutes can be mailed.
func TestSize(t *testing.T) {
	t.Parallel()
	if race.Enabled {
		t.Skip("the race detector has nothing to find here, and takes long")
	}
	size, most := len(write(t, filmtest.Demo("no-pool", 180), export.Options{Speed: 8})), 400<<10
	if size > most {
		t.Errorf("three minutes take %d bytes, which is more than %d", size, most)
	}
}

// The policy allows the script and the style of the page, and nothing else.
func TestPolicy(t *testing.T) {
	t.Parallel()
	b := write(t, filmtest.Named("web", 3), export.Options{})
	root := read(t, b, true)
	policy, style, script := "", content(the(t, root, "style", "")), ""
	for _, n := range elements(root) {
		switch {
		case n.Data == "meta" && attribute(n, "http-equiv") != "":
			policy += attribute(n, "content")
		case n.Data == "script" && attribute(n, "type") == "":
			script += content(n)
		}
	}
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	want := "default-src 'none'; script-src " + hash(script) + "; style-src " + hash(style) + "; base-uri 'none'; form-action 'none'"
	if policy != want {
		t.Errorf("the policy is %s\nwant %s", policy, want)
	}
	if bytes.Index(b, []byte("default-src")) > bytes.Index(b, []byte("<style")) {
		t.Error("the policy does not stand before what it is about")
	}
}

// Where no script runs, there are the worst moment and what was found then.
func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	root := read(t, story(t).page, false)
	var lines []string
	for _, n := range elements(the(t, root, "noscript", "")) {
		if attribute(n, "class") == "row" {
			lines = append(lines, content(n))
		}
	}
	still := strings.Join(lines, "\n")
	if !slices.ContainsFunc(story(t).frames, func(s shot) bool { return s.level == model.LevelExhausted && s.text == still }) {
		t.Errorf("this is no frame of the worst level:\n%s", still)
	}
	said := content(the(t, root, "section", "findings"))
	for _, want := range []string{"✖ exhausted", "api (pid 3120) finds no port to 10.0.9.2:5432", "fails for want of a port", "EADDRNOTAVAIL",
		"pool the database connections", `sysctl -w net.ipv4.ip_local_port_range="10240 65535"`, "Risk: "} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
}

// A leak is a warning long before ports are short, and is called one.
func TestVerdictHasTheLevelOfItsFinding(t *testing.T) {
	t.Parallel()
	root := read(t, write(t, filmtest.Demo("leak", 30), export.Options{}), false)
	if said := content(the(t, root, "section", "findings")); !strings.Contains(said, "! warning reports leaks ") {
		t.Errorf("it says:\n%s", said)
	}
}

// A host on which nothing is wrong has a page as well.
func TestPageOfAHealthyHost(t *testing.T) {
	t.Parallel()
	root := read(t, write(t, filmtest.Demo("browsing", 5), export.Options{}), false)
	if said := content(the(t, root, "section", "findings")); !strings.Contains(said, "nothing is wrong") {
		t.Errorf("it says:\n%s", said)
	}
}

// jsonFilm is what the script reads.
type jsonFilm struct {
	Columns, Rows int
	Speed         float64
	Length        int64
	Frames        []struct {
		T     int64
		Key   bool
		Level string
		Runs  []json.RawMessage
	}
}

func film(t testing.TB, b []byte) (f jsonFilm) {
	t.Helper()
	if err := json.Unmarshal([]byte(content(the(t, read(t, b, true), "script", "film"))), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// Times are those of the recording, however fast the film was made to play.
func TestTimesAreTheRecordings(t *testing.T) {
	t.Parallel()
	for _, speed := range []float64{0, 0.25, 1, 8} {
		f := film(t, write(t, filmtest.Demo("browsing", 4), export.Options{Speed: speed}))
		var times []int64
		for _, frame := range f.Frames {
			times = append(times, frame.T)
		}
		if !slices.Equal(times, []int64{0, 1000, 2000, 3000}) {
			t.Errorf("at a speed of %v the frames are at %v", speed, times)
		}
		if f.Length < 3000 {
			t.Errorf("at a speed of %v it is %d ms long", speed, f.Length)
		}
	}
}

// Who seeks need not go through all frames.
func TestFramesStandAlone(t *testing.T) {
	t.Parallel()
	f := film(t, story(t).page)
	since := 0
	for i, frame := range f.Frames {
		if frame.Key {
			since = 0
		} else if since++; since > 100 || i == 0 {
			t.Fatalf("frame %d is %d frames after one that stands alone", i, since)
		}
	}
}

// A theme that is not there is an error, and so is a film with no frame.
func TestWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	f := filmtest.Open(t, filmtest.Named("web", 2), export.Options{})
	if err := page.Write(&b, f, page.Options{Theme: "pink"}); err == nil || b.Len() > 0 {
		t.Errorf("of no theme: %v, and %d bytes", err, b.Len())
	}
	if err := page.Write(full{}, f, page.Options{}); err != errFull {
		t.Errorf("on a full disk: %v", err)
	}
}

var errFull = fmt.Errorf("no space left on device")

// full is a disk that is.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// A page begins as its reader prefers, or with the theme that is asked for.
func TestThemes(t *testing.T) {
	t.Parallel()
	data := filmtest.Named("web", 2)
	for _, test := range []struct{ theme, begins, dark string }{
		{"", "", "#101418"}, {"light", "light", "#101418"}, {"nord", "dark", "#101418"},
	} {
		var b bytes.Buffer
		if err := page.Write(&b, filmtest.Open(t, data, export.Options{}), page.Options{Theme: test.theme}); err != nil {
			t.Fatal(err)
		}
		root := read(t, b.Bytes(), true)
		if got := attribute(the(t, root, "html", ""), "data-theme"); got != test.begins {
			t.Errorf("%q begins %q, want %q", test.theme, got, test.begins)
		}
		grounds := regexp.MustCompile(`--ground:(#\w+)`).FindAllStringSubmatch(content(the(t, root, "style", "")), -1)
		if len(grounds) != 3 || grounds[0][1] != test.dark || grounds[1][1] != "#ffffff" || grounds[2][1] != "#ffffff" {
			t.Errorf("%q has the grounds %v", test.theme, grounds)
		}
	}
}
