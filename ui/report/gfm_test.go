package report

import (
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extensions "github.com/yuin/goldmark/extension/ast"
	markdown "github.com/yuin/goldmark/text"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

// page is a page of Markdown as one who shows it reads it.
type page struct {
	source []byte
	root   ast.Node
}

// readPage reads CommonMark with what GitHub adds.
func readPage(source []byte) *page {
	return &page{source, goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(markdown.NewReader(source))}
}

// each goes through all nodes.
func (p *page) each(visit func(ast.Node)) {
	err := ast.Walk(p.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			visit(n)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		panic(err) // visit gives none
	}
}

// read gives the text of a node, without marks.
func (p *page) read(n ast.Node) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.WriteString(unescape(string(t.Value(p.source))))
			continue
		}
		b.WriteString(p.read(c))
	}
	return b.String()
}

// unescape takes the backslashes away that stand before marks.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// tables gives the rows of all tables, of which each has as many cells as the
// first one.
func (p *page) tables(t *testing.T) [][][]string {
	t.Helper()
	var all [][][]string
	p.each(func(n ast.Node) {
		table, ok := n.(*extensions.Table)
		if !ok {
			return
		}
		var rows [][]string
		for row := table.FirstChild(); row != nil; row = row.NextSibling() {
			var cells []string
			for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
				cells = append(cells, p.read(cell))
			}
			if len(rows) > 0 && len(cells) != len(rows[0]) {
				t.Errorf("%d cells in %q, %d in %q", len(cells), cells, len(rows[0]), rows[0])
			}
			rows = append(rows, cells)
		}
		all = append(all, rows)
	})
	return all
}

// What is a table shows as one, with the cells of the figures, and each command as a
// block of code.
func TestMarkdownShowsAsItIs(t *testing.T) {
	t.Parallel()
	p := readPage(written(t, Markdown, diagnoses()["loud"].State, Options{}))
	tables := p.tables(t)
	if len(tables) != 3 {
		t.Fatalf("%d tables, want those of figures, destinations and processes", len(tables))
	}
	for i, want := range [][]string{
		{"TCP to 10.0.9.2:5432", "18,006", "10,216", "63.8 %"},
		{"10.0.0.9", "10.0.9.2:5432", "18,006", "10,216", "8,202", "9,804", "full in 1m 26s"},
		{"java", "3120", "11,846", "12,054", "10.0.9.2:5432"},
	} {
		if got := strings.Join(tables[i][1], "|"); got != strings.Join(want, "|") {
			t.Errorf("table %d begins with %s, want %s", i, got, strings.Join(want, "|"))
		}
	}
	commands, title := 0, ""
	p.each(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.FencedCodeBlock:
			commands++
		case *ast.Heading:
			if n.Level == 1 {
				title += p.read(n)
			}
		}
	})
	if commands < 5 || title != "ephtop: web-01, 2026-11-22 12:04:31 UTC" {
		t.Errorf("%d blocks of commands below %q", commands, title)
	}
}

// hostileNames are what somebody may call a process to be more than text.
var hostileNames = []string{
	"**bold**", "_em_", "__s__", "[x](http://evil)", "![i](x)", "[x][y]", "[x]: http://evil", "<img src=x onerror=1>", "</script><script>alert(1)</script>",
	"<!-- a", "a|b|c", `a\|b`, "|", "`code`", "``", "```", "~~~", "# title", "- item", "+ item", "* item", "1. item", "1) item", "> quote", "    code",
	"http://evil.example", "https://evil.example/a_b_c", "ftp://evil.example", "www.evil.example", "mailto:a@evil.example", "xmpp:a@evil.example", "a@evil.example", "<http://evil.example>",
	"~~gone~~", "~gone~", "&lt;b&gt;", "&#60;b>", "a\n\n# b", "a\r\n| b |", "- [ ] task", "@all", "$x$", "$$x$$", "===", "---", "***", "a\\*b*", "\\", "a\\",
	"\x1b[31mred\x1b[m", "\x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\", "a\u202eb\u2066c", "a\u2028b", "a\u0085b", "a\x00b", "\xff\xfe", ":smile:", "#1", "GH-1",
}

// A name is text, whatever it holds: no mark up, no link, no image, no HTML, no cell
// of a table, no end of a block.
func TestHostileNamesShowAsText(t *testing.T) {
	t.Parallel()
	plain := readPage(written(t, Markdown, busyHost(), Options{}))
	kinds := func(p *page) map[string]int {
		n := make(map[string]int)
		p.each(func(node ast.Node) {
			if _, isText := node.(*ast.Text); !isText {
				n[node.Kind().String()]++
			}
		})
		return n
	}
	want := kinds(plain)
	for _, name := range hostileNames {
		st := busyHost()
		st.Moment.Host, st.Processes[java].Name, st.Moment.Kernel = name, name, name
		st.Snapshot.Scope = source.Scope{Kind: source.ScopePod, Name: name}
		for i := range st.Moment.Limits {
			st.Moment.Limits[i].Detail = name
		}
		p := readPage(written(t, Markdown, st, Options{Overview: &model.Overview{States: []*model.State{st}, Findings: st.Findings}}))
		got := kinds(p)
		for kind := range want {
			got[kind] += 0
		}
		for kind := range got {
			// The namespace has a line of its own among those of the host.
			extra := 0
			if kind == "ListItem" || kind == "TextBlock" {
				extra = 1
			}
			if got[kind] != want[kind]+extra {
				t.Errorf("%q: %d of %s, want %d", name, got[kind], kind, want[kind]+extra)
			}
		}
		if tables := p.tables(t); len(tables) != 3 || tables[2][1][0] != strings.TrimSpace(text.Sanitize(name)) {
			t.Errorf("%q: the tables are %q", name, tables)
		}
	}
}
