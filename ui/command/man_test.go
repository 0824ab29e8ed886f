package command

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ephtop/model/filter"
	"ephtop/ui/dashboard"
	"ephtop/ui/fleet"
)

// The page says what the program itself says: each command and flag, each key
// of the dashboard, each key of a filter.
func TestTheManualHasItAll(t *testing.T) {
	t.Parallel()
	a := &app{flags: defaultFlags()}
	root := a.root()
	var page bytes.Buffer
	out := bufio.NewWriter(&page)
	manual{out}.page(root)
	out.Flush()
	lines := make(map[string]bool)
	for line := range strings.Lines(page.String()) {
		lines[strings.TrimSuffix(line, "\n")] = true
	}
	want := func(line string) {
		t.Helper()
		if !lines[escape(line)] {
			t.Errorf("the manual lacks the line %q", line)
		}
	}
	flags := func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			name := "--" + f.Name
			if f.Shorthand != "" {
				name = "-" + f.Shorthand + ", " + name
			}
			if kind := f.Value.Type(); kind != "bool" {
				if f.NoOptDefVal != "" {
					kind = "[" + kind + "]"
				}
				name += " " + kind
			}
			want(name)
		})
	}
	flags(root)
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			if !strings.Contains(page.String(), escape(`.SS "`)+escape(c.Use)) {
				t.Errorf("the manual lacks %s", c.Name())
			}
			flags(c)
		}
	}
	for _, g := range append(dashboard.Keys(), fleet.Keys()...) {
		for _, k := range g.Keys {
			want(k.Key)
		}
	}
	for _, k := range filter.Keys() {
		want(k.Prefix())
	}
	if i := strings.IndexFunc(page.String(), func(r rune) bool { return r > 126 }); i >= 0 {
		t.Errorf("not ASCII: %q", page.String()[i:i+20])
	}
}
