package page_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"ephtop/source/race"
	"ephtop/ui/export"
	"ephtop/ui/export/internal/filmtest"
	"ephtop/ui/export/page"
)

// hostile are names that a process, a host or a namespace may give itself.
var hostile = []string{
	"api", "</script><img src=x onerror=alert(1)>", "<!--<script>", "]]>", "-->", "</noscript></style></title><script>alert(1)</script>",
	"&lt;b&gt;&amp;&#0;\"'`", "a\u2028b\u2029c", "\x1b[31m\x1b]0;title\x07\x00\u0085\ufffe\uffff", "\u202eiqa", "数据库", "e\u0301\u200d\U0001f469",
	"\xff\xfe", "{{.}}${1}\\u003cb\\n", "__proto__", "java",
}

// named makes a page on which everything has one name.
func named(t testing.TB, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	film := filmtest.Open(t, filmtest.Named(name, 12), export.Options{Findings: true})
	if err := page.Write(&b, film, page.Options{Title: name}); err != nil {
		t.Fatalf("%q: %v", name, err)
	}
	return b.Bytes()
}

// skeleton is the elements of a page with their attributes: all outside of the
// findings and of the still, which depend on what is to be said, and which kinds
// there are in these.
func skeleton(root *html.Node) (outside []string, inside map[string]bool) {
	inside = make(map[string]bool)
	for _, n := range elements(root) {
		name := n.Data
		for _, a := range n.Attr {
			name += " " + a.Key
			if a.Key != "class" && a.Key != "content" && a.Key != "href" {
				name += "=" + a.Val
			}
		}
		if within(n) {
			inside[name] = true
		} else {
			outside = append(outside, name)
		}
	}
	return outside, inside
}

// within reports whether an element is in the findings, or in the still.
func within(n *html.Node) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == "noscript" || attribute(p, "id") == "findings" {
			return true
		}
	}
	return false
}

// checkNames checks that the page is built as one of a plain name is.
func checkNames(t *testing.T, name string, plain []string) {
	t.Helper()
	b := named(t, name)
	for _, scripts := range []bool{true, false} {
		root := read(t, b, scripts)
		outside, inside := skeleton(root)
		if !slices.Equal(outside, plain) {
			t.Fatalf("%q makes a page of\n%s\nwant\n%s", name, strings.Join(outside, "\n"), strings.Join(plain, "\n"))
		}
		for kind := range inside {
			switch kind {
			case "h2", "h3", "p", "p class", "strong", "strong class", "span class", "a href", "article", "ul", "li", "pre", "div class":
			default:
				t.Fatalf("%q makes an element %s", name, kind)
			}
		}
		for _, n := range elements(root) {
			if href := attribute(n, "href"); href != "" && !strings.HasPrefix(href, "#t=") {
				t.Fatalf("%q makes a link to %s", name, href)
			}
		}
	}
	if f := film(t, b); len(f.Frames) == 0 {
		t.Fatalf("%q makes a page of no frames", name)
	}
	for _, c := range string(b) {
		if c < ' ' && c != '\n' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 {
			t.Fatalf("%q makes a page with a control character, %U", name, c)
		}
	}
}

// Names in a recording are text: any makes the same page, of the same elements.
func FuzzPage(f *testing.F) {
	if race.Enabled {
		f.Skip("the race detector has nothing to find here, and takes long")
	}
	plain, _ := skeleton(read(f, named(f, "web"), true))
	for _, name := range hostile {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) { checkNames(t, name, plain) })
}
