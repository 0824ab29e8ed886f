package paint

import (
	"strings"
	"testing"

	"ephtop/model/filter"
)

// lastLine is the last line of a frame, without colours.
func lastLine(v *View) string {
	lines := strings.Split(plain().Frame(v), "\n")
	return strings.TrimRight(lines[len(lines)-1], " ")
}

func TestWhatIsSaidBesideAFilter(t *testing.T) {
	t.Parallel()
	wrong := func(f *FilterLine) { _, f.Err = filter.Parse(f.Input) }
	for _, test := range []struct {
		name, typed string
		change      func(f *FilterLine)
		passing     int
		wide, small string // 80 and 40 columns
	}{
		{
			"nothing yet", "", nil, 9,
			" / ▏ state:tw  proc:nginx  rport:443  10.0.0.0/8  !state:listen",
			" / ▏ state:tw  proc:nginx  rport:443  …",
		},
		{"a filter that holds", "rport:443", nil, 9, " / rport:443▏", " / rport:443▏"},
		{
			"the beginning of a key", "p", func(f *FilterLine) { f.Held, f.Next = true, []string{"proc:", "pid:", "proto:", "port:"} }, 9,
			" / p▏           tab proc:  pid:  proto:  port:", " / p▏           tab proc:  pid:  proto…",
		},
		{
			"the beginning of a state", "state:TI", func(f *FilterLine) { f.Held, f.Next = true, []string{"TIME_WAIT"} }, 0,
			" / state:TI▏    tab TIME_WAIT", " / state:TI▏    tab TIME_WAIT",
		},
		{
			"what can't become right", "stat:tw", wrong, 9,
			` / stat:tw▏     ✖ at 1: unknown key "stat": use one of state, proc, pid, user,…`, ` / stat:tw▏     ✖ at 1: unknown key "s…`,
		},
		{
			"another language", "a and b", func(f *FilterLine) { f.Text = f.Input }, 0,
			" / a and b▏     spaces mean and, ! negates, commas mean or", " / a and b▏     space is and, ! is not",
		},
		{
			"nothing passes", "proc:nope", func(f *FilterLine) { f.Text = f.Input }, 0,
			" / proc:nope▏   0 match · spaces mean and, ! negates", " / proc:nope▏   0 match",
		},
	} {
		for width, want := range map[int]string{80: test.wide, 40: test.small} {
			v := sampleView(width, 24)
			v.Rows = v.Rows[:test.passing]
			v.Filter = FilterLine{Editing: true, Input: test.typed, Pos: len(test.typed)}
			if test.change != nil {
				test.change(&v.Filter)
			}
			if got := lastLine(v); got != want {
				t.Errorf("%s, %d columns:\n got %q\nwant %q", test.name, width, got, want)
			}
		}
	}
}

func TestTheLastHintIsNeverCut(t *testing.T) {
	t.Parallel()
	for _, notice := range []string{"", "copied", strings.Repeat("a long notice ", 20)} {
		for _, width := range []int{10, 20, 40, 80, 120, 200} {
			v := sampleView(width, 24)
			v.Notice = notice
			if line := lastLine(v); !strings.HasSuffix(line, "q quit") {
				t.Errorf("%d columns: %q", width, line)
			}
		}
	}
	want := " / filter  f findings  ↵ open  tab pane  s sort  b by  ? help  y copy    q quit"
	if got := lastLine(sampleView(80, 24)); got != want {
		t.Errorf("80 columns:\n got %q\nwant %q", got, want)
	}
}
