package svg_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source/race"
	"ephtop/ui/export"
	"ephtop/ui/export/internal/filmtest"
	"ephtop/ui/export/svg"
	"ephtop/ui/screen"
	"ephtop/ui/theme"
)

// mark is something that is drawn: a text, or one closed line of a path.
type mark struct{ kind, class, at, text string }

// picture is an SVG as it is read back.
type picture struct {
	title  string
	style  string
	always []mark
	groups map[string][]mark // by class
}

// read reads a picture, and fails where it is no XML or holds what a picture of
// text doesn't need.
func read(t testing.TB, page []byte) picture {
	t.Helper()
	p := picture{groups: make(map[string][]mark)}
	var stack []xml.StartElement
	d := xml.NewDecoder(bytes.NewReader(page))
	class := ""
	add := func(m mark) {
		if class == "" {
			p.always = append(p.always, m)
		} else {
			p.groups[class] = append(p.groups[class], m)
		}
	}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(stack) == 0 {
			return p
		}
		if err != nil {
			t.Fatalf("it is no XML: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			stack = append(stack, token.Copy())
			switch name := token.Name.Local; name {
			case "g":
				class = attr(token, "class")
			case "path":
				for _, line := range strings.SplitAfter(attr(token, "d"), "z") {
					if strings.HasPrefix(line, "M") {
						add(mark{"path", attr(token, "class"), line, ""})
					}
				}
			case "text":
				add(mark{"text", attr(token, "class"), attr(token, "x") + " " + attr(token, "y") + " " + attr(token, "textLength"), ""})
			case "svg", "style", "title", "rect":
			default:
				t.Fatalf("there is a <%s>", name)
			}
			for _, a := range token.Attr {
				if a.Name.Local == "href" || strings.HasPrefix(a.Name.Local, "on") {
					t.Fatalf("there is the attribute %s", a.Name.Local)
				}
			}
		case xml.EndElement:
			stack = stack[:len(stack)-1]
			if token.Name.Local == "g" {
				class = ""
			}
		case xml.CharData:
			switch name := inside(stack); name {
			case "text":
				list := &p.always
				if class != "" {
					held := p.groups[class]
					held[len(held)-1].text += string(token)
					continue
				}
				(*list)[len(*list)-1].text += string(token)
			case "title":
				p.title += string(token)
			case "style":
				p.style += string(token)
			default:
				if strings.TrimSpace(string(token)) != "" {
					t.Fatalf("text in <%s>: %q", name, token)
				}
			}
		case xml.Comment, xml.Directive, xml.ProcInst:
			t.Fatalf("there is %T", token)
		}
	}
}

func inside(stack []xml.StartElement) string {
	if len(stack) == 0 {
		return ""
	}
	return stack[len(stack)-1].Name.Local
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

var (
	lengthRule = regexp.MustCompile(`animation:([0-9.]+)s step-end infinite`)
	frameRule  = regexp.MustCompile(`@keyframes (t[0-9a-z]+-[0-9a-z]+)\{(?:0%\{visibility:hidden\})?([0-9.]+)%\{visibility:visible\}(?:([0-9.]+)%\{visibility:hidden\})?\}`)
)

// at is what is visible at a time.
func (p *picture) at(t testing.TB, when time.Duration) []mark {
	t.Helper()
	all := slices.Clone(p.always)
	length := number(t, lengthRule.FindStringSubmatch(p.style)[1])
	part := 100 * when.Seconds() / length
	for _, rule := range frameRule.FindAllStringSubmatch(p.style, -1) {
		// A picture is looked at a moment after a change.
		if part+0.002 > number(t, rule[2]) && (rule[3] == "" || part+0.002 < number(t, rule[3])) {
			all = append(all, p.groups[rule[1]]...)
		}
	}
	return all
}

func number(t testing.TB, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sorted(all []mark) []string {
	var lines []string
	for _, m := range all {
		lines = append(lines, fmt.Sprint(m))
	}
	slices.Sort(lines)
	return lines
}

func still(t testing.TB, c *screen.Canvas, o svg.Options) picture {
	t.Helper()
	var b bytes.Buffer
	if err := svg.Still(&b, c, o); err != nil {
		t.Fatal(err)
	}
	return read(t, b.Bytes())
}

// What is visible of an animation at the time of a frame is the picture of that
// frame, and nothing else.
func TestAnimationShowsItsFrames(t *testing.T) {
	t.Parallel()
	data := filmtest.Demo("browsing", 70)
	o := export.Options{Speed: 8, Keys: filmtest.Keys(t, "Sleep 1s\nEnter\nSleep 1s\nEscape\nSleep 8s\nType \"f\"\nSleep 2s\nType \"bjj/tw\"")}
	var b bytes.Buffer
	if err := svg.Write(&b, filmtest.Open(t, data, o), svg.Options{}); err != nil {
		t.Fatal(err)
	}
	whole := read(t, b.Bytes())
	filmtest.Each(t, filmtest.Open(t, data, o), func(i int, frame export.Frame) {
		one := still(t, frame.Canvas, svg.Options{})
		if diff := cmp.Diff(sorted(one.always), sorted(whole.at(t, frame.At))); diff != "" && !t.Failed() {
			t.Errorf("frame %d at %v (-frame +animation):\n%s", i, frame.At, diff)
		}
	})
}

// The words of a picture stand where they stand on the screen.
func TestStillHasTheWordsOfTheScreen(t *testing.T) {
	t.Parallel()
	o := export.Options{From: filmtest.Start.Add(60 * time.Second)}
	err := export.Still(t.Context(), filmtest.Player(t, filmtest.Demo("browsing", 70)), o, func(_ *export.Film, frame export.Frame) error {
		text := strings.Split(filmtest.Text(frame.Canvas), "\n")
		n := 0
		for _, m := range still(t, frame.Canvas, svg.Options{}).always {
			if m.kind != "text" {
				continue
			}
			var x, y int
			if _, err := fmt.Sscan(m.at, &x, &y); err != nil {
				t.Fatal(err)
			}
			row := []rune(text[(y-12)/16])
			if got := string(row[x/8:][:len([]rune(m.text))]); got != m.text {
				t.Errorf("%q stands where %q is on the screen", m.text, got)
			}
			n += len(m.text) - strings.Count(m.text, " ")
		}
		if n < 500 {
			t.Errorf("only %d characters of words:\n%s", n, strings.Join(text, "\n"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Three minutes of the demo at eight times the speed make less than a megabyte.
func TestSize(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine draws all of it: it runs without the race detector")
	}
	t.Parallel()
	var b bytes.Buffer
	if err := svg.Write(&b, filmtest.Open(t, filmtest.Demo("no-pool", 180), export.Options{Speed: 8}), svg.Options{}); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 1_000_000 {
		t.Errorf("it has %d bytes", b.Len())
	}
}

// Where nothing moves, the first frame of the worst level is seen.
func TestPoster(t *testing.T) {
	t.Parallel()
	data := filmtest.Named("api", 15)
	var b bytes.Buffer
	if err := svg.Write(&b, filmtest.Open(t, data, export.Options{}), svg.Options{}); err != nil {
		t.Fatal(err)
	}
	whole := read(t, b.Bytes())
	rule := regexp.MustCompile(`\n([^{}\n]+)\{visibility:visible\}\n@media`).FindStringSubmatch(whole.style)
	if rule == nil {
		t.Fatalf("no group is visible:\n%s", whole.style)
	}
	poster := slices.Clone(whole.always)
	for _, class := range strings.Split(rule[1], ",") {
		poster = append(poster, whole.groups[strings.TrimPrefix(class, ".")]...)
	}
	found := false
	filmtest.Each(t, filmtest.Open(t, data, export.Options{}), func(_ int, frame export.Frame) {
		if found || frame.Level.String() != "exhausted" {
			return
		}
		found = true
		one := still(t, frame.Canvas, svg.Options{})
		if diff := cmp.Diff(sorted(one.always), sorted(poster)); diff != "" {
			t.Errorf("(-the first frame of the worst level +poster):\n%s", diff)
		}
	})
	if !found {
		t.Error("the ports never ran out")
	}
}

func TestThemes(t *testing.T) {
	t.Parallel()
	var c screen.Canvas
	c.Reset(10, 1, false)
	c.Text(0, 0, 10, theme.Exhausted, "full")
	for _, name := range theme.Names() {
		sheet, err := theme.SheetByName(name)
		if err != nil {
			t.Fatal(err)
		}
		p := still(t, &c, svg.Options{Theme: name, Title: "a <title>"})
		if !strings.Contains(p.style, sheet.Ground) || !strings.Contains(p.style, sheet.Roles[theme.Exhausted].Back) {
			t.Errorf("%s: its colours are not there: %s", name, p.style)
		}
		if p.title != "a <title>" {
			t.Errorf("the title is %q", p.title)
		}
	}
	if p := still(t, &c, svg.Options{Theme: "nord"}); strings.Contains(p.style, "prefers-color-scheme") {
		t.Error("a theme that was asked for is left for another one")
	}
	light, err := theme.SheetByName("light")
	if err != nil {
		t.Fatal(err)
	}
	_, style, asks := strings.Cut(still(t, &c, svg.Options{}).style, "@media(prefers-color-scheme:light){")
	if !asks || !strings.Contains(style, light.Ground) || !strings.Contains(style, light.Roles[theme.Exhausted].Back) {
		t.Errorf("readers who prefer light do not get that: %s", style)
	}
	if err := svg.Still(io.Discard, &c, svg.Options{Theme: "pink"}); err == nil {
		t.Error("there is a pink picture")
	}
}

// Bars and lines are drawn, so that they meet whatever the font.
func TestShapes(t *testing.T) {
	t.Parallel()
	var c screen.Canvas
	c.Reset(8, 2, false)
	c.Text(0, 0, 8, 0, "╭──▌██░│")
	p := still(t, &c, svg.Options{})
	want := []string{
		"{path  M0 0m4 16v-5a4 4 0 0 1 4-4v1a3 3 0 0 0-3 3v5z }", "{path  M24 0m0 0h4v16h-4z }", "{path  M32 0h16v16h-16z }",
		"{path  M56 0m4 0h1v16h-1z }", "{path  M8 7h16v1h-16z }", "{path s1 M48 0h8v16h-8z }",
	}
	if diff := cmp.Diff(want, sorted(p.always)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A character that fonts have at another width, or not at all, has its columns.
func TestSignsHaveTheirColumns(t *testing.T) {
	t.Parallel()
	var c screen.Canvas
	c.Reset(8, 1, false)
	c.Text(0, 0, 8, 0, "a数b")
	want := []string{"{text  0 12  a}", "{text  24 12  b}", "{text  8 12 16 数}"}
	if diff := cmp.Diff(want, sorted(still(t, &c, svg.Options{}).always)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

var hostile = []string{
	"api", "</text><script>alert(1)</script>", "]]><!--", "&amp;&#0;\"'", "\x1b[31m\x00\u0085\ufffe\uffff", "\u202eiqa", "数据库",
	"e\u0301\u200d\U0001f469", "\xff\xfe",
}

// Names in a recording are text, whatever they are.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	for _, name := range hostile {
		var b bytes.Buffer
		if err := svg.Write(&b, filmtest.Open(t, filmtest.Named(name, 3), export.Options{Findings: true}), svg.Options{Title: name}); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		read(t, b.Bytes())
	}
}

// FuzzStill has any text come out as text in a sound picture.
func FuzzStill(f *testing.F) {
	for i, name := range hostile {
		f.Add(name, byte(i))
	}
	f.Fuzz(func(t *testing.T, text string, style byte) {
		var c screen.Canvas
		c.Reset(40, 2, false)
		c.Text(1, 0, 39, screen.Style(style), text)
		c.Text(1, 1, 20, screen.Style(style), text)
		c.Text(9, 1, 20, screen.Style(style+1), text)
		still(t, &c, svg.Options{Title: text})
	})
}
