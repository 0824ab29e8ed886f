package report

import (
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/x/exp/golden"

	"ephtop/model"
	"ephtop/source"
)

func TestMarkdown(t *testing.T) {
	t.Parallel()
	loud := diagnoses()["loud"]
	for _, c := range []struct {
		name  string
		state *model.State
	}{{"busy", busyHost()}, {"loud", loud.State}, {"idle", idleHost()}} {
		t.Run(c.name, func(t *testing.T) {
			golden.RequireEqual(t, written(t, Markdown, c.state, Options{}))
		})
	}
}

// A name is text, whatever it holds: no mark up, no link, no cell of a table, no
// end of a block.
func TestNamesAreNoMarkdown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"**bold**", "_em_", "[x](http://evil)", "![i](x)", "<img src=x onerror=1>", "a|b|c", "`code`", "# title", "- item", "+ item",
		"1. item", "1) item", "http://evil.example", "www.evil.example", "~~gone~~", "&lt;", "a\n\n# b", "@all", "```", "$x$", "===", "---", "a\\*b*",
	} {
		st := busyHost()
		st.Moment.Host, st.Processes[java].Name = name, name
		st.Moment.Limits = []source.Limit{{Detail: name}}
		page := string(written(t, Markdown, st, Options{}))
		for _, line := range strings.Split(page, "\n") {
			if strings.HasPrefix(line, "```") {
				continue
			}
			if strings.HasPrefix(line, "| ") && strings.HasSuffix(line, " |") {
				cells := len(regexp.MustCompile(`[^\\]\|`).FindAllString(line, -1))
				if cells != 4 && cells != 5 && cells != 7 {
					t.Errorf("%q: a row of %d cells: %s", name, cells, line)
				}
			}
		}
		// Without its escapes and its own marks, nothing that means something is left
		// of the name.
		bare := regexp.MustCompile(`\\[^A-Za-z0-9 ]`).ReplaceAllString(escape(name), "x")
		if regexp.MustCompile("[*\\[\\]<>|`~&#$@\n]|://|www\\.|^[-+=]+(\\s|$)|^\\d+[.)](\\s|$)|(^|[^A-Za-z0-9])_|_($|[^A-Za-z0-9])").MatchString(bare) {
			t.Errorf("%q is written %q", name, escape(name))
		}
		if !strings.Contains(page, "# ephtop: "+escape(name)+", 2026") {
			t.Errorf("%q: no host in\n%s", name, page)
		}
	}
	if got := escape("18,006 in TIME_WAIT to [2001:db8::1]:443, 64 %"); got != `18,006 in TIME_WAIT to \[2001:db8::1\]:443, 64 %` {
		t.Error(got)
	}
}

// Commands stand in blocks as they are, and each once.
func TestCommandsInMarkdown(t *testing.T) {
	t.Parallel()
	page := string(written(t, Markdown, diagnoses()["loud"].State, Options{}))
	if n := strings.Count(page, "```sh\nsysctl -w net.ipv4.ip_local_port_range=\"10240 65535\"\n```\n"); n != 1 {
		t.Errorf("%d blocks with the range in\n%s", n, page)
	}
	if strings.Count(page, "```")%2 != 0 {
		t.Error("a block does not end")
	}
}

// A report of one of several namespaces says of which one, at the top.
func TestMarkdownNamesItsNamespace(t *testing.T) {
	t.Parallel()
	st, other := busyHost(), idleHost()
	st.Snapshot.Scope = source.Scope{Kind: source.ScopePod, Name: "shop/api"}
	for several, want := range map[bool]string{false: "# ephtop: " + st.Moment.Host + ", ", true: "# ephtop: " + st.Moment.Host + " › shop/api, "} {
		o := model.Overview{States: []*model.State{st}}
		if several {
			o.States = append(o.States, other)
		}
		if page := string(written(t, Markdown, st, Options{Overview: &o})); !strings.HasPrefix(page, want) {
			t.Errorf("several %v: the page begins with %.60q, want %q", several, page, want)
		}
	}
}
