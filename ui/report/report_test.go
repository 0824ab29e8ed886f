package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/screen"
	"ephtop/ui/theme"
)

type writer func(io.Writer, *model.State, Options) error

var formats = map[string]writer{"json": JSON, "csv": CSV, "text": Text}

func written(t *testing.T, write writer, st *model.State, o Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out, st, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestText(t *testing.T) {
	all := allRows(busyHost())
	many := busyHost()
	for i := range 12 {
		many.TCP.Pressure.Tuples = append(many.TCP.Pressure.Tuples, many.TCP.Pressure.Tuples[1])
		many.Processes = append(many.Processes, source.Process{PID: int32(9000 + i), Name: fmt.Sprint("worker-", i)})
		many.TCP.Consumers[model.ByProcess] = append(many.TCP.Consumers[model.ByProcess],
			model.Consumer{Process: int32(len(many.Processes) - 1), Tier: model.OwnerObserved, Ports: 100 - i, Sockets: 100})
	}
	// Not a theme of package theme: how these look is not for this test to say.
	colors := theme.Theme{Inks: make([]screen.Ink, theme.NumRoles)}
	for role, sgr := range map[theme.Role]string{
		theme.Brand: "1", theme.Title: "4", theme.OK: "32", theme.Warn: "33", theme.Critical: "31",
	} {
		colors.Inks[role] = screen.Ink{SGR: sgr}
	}
	for _, c := range []struct {
		name  string
		state *model.State
		o     Options
	}{
		{"busy", busyHost(), Options{Rows: all}},
		{"filter", busyHost(), Options{Rows: all[1:], Filter: "!state:ESTABLISHED proto:tcp,udp", Protocols: []source.Proto{source.TCP, source.UDP}}},
		{"ascii", busyHost(), Options{Rows: all, Filter: "café", ASCII: true}},
		{"color", busyHost(), Options{Rows: all, Theme: colors}},
		{"many", many, Options{Rows: all}},
		{"idle", idleHost(), Options{}},
		{"translating", translating(57_120, model.LevelCritical), Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := written(t, Text, c.state, c.o)
			golden.RequireEqual(t, out)
			for _, line := range strings.Split(string(out), "\n") {
				if width := ansi.StringWidth(line); width > 80 && !strings.Contains(line, "]:") {
					t.Errorf("line of %d columns: %q", width, line)
				}
				if c.o.ASCII && strings.ContainsFunc(line, func(r rune) bool { return r > unicode.MaxASCII }) {
					t.Errorf("line that is not ASCII: %q", line)
				}
				if c.o.Theme.Inks == nil && strings.Contains(line, "\x1b") {
					t.Errorf("colour that nobody asked for: %q", line)
				}
			}
		})
	}
}

func TestCSV(t *testing.T) {
	state := busyHost()
	out := written(t, CSV, state, Options{Rows: allRows(state)})
	golden.RequireEqual(t, out)
	records, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 1+len(state.Rows) {
		t.Errorf("%d records, want a header and %d rows", len(records), len(state.Rows))
	}
	if got, want := records[1+closeWait6][8], `'=HYPERLINK("http://x"," <b>")`; got != want {
		t.Errorf("process = %q, want %q", got, want)
	}
}

func TestGuard(t *testing.T) {
	for name, want := range map[string]string{
		"java": "java", "": "", "(sd-pam)": "(sd-pam)", "a=b": "a=b", "é": "é",
		"=1+1": "'=1+1", "+1": "'+1", "-bash": "'-bash", "@SUM(A1)": "'@SUM(A1)", "  =1": "'  =1",
		"＝1": "'＝1", "'=1": "''=1",
	} {
		if got := guard(name); got != want {
			t.Errorf("guard(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestForeignTextIsHarmless(t *testing.T) {
	state := busyHost()
	nasty := "\x1b[2J\x1b]52;c;aGk=\a\x9b31mab\r\nc\u202etxt\x00\xff\u2028" + strings.Repeat("漢", 90)
	state.Moment.Host, state.Moment.Kernel, state.Moment.Source = nasty, nasty, nasty
	state.Moment.Limits = []source.Limit{{Code: source.LimitOwners, Detail: nasty}}
	for i := range state.Processes {
		state.Processes[i].Name, state.Processes[i].User = nasty, nasty
	}
	for name, write := range formats {
		t.Run(name, func(t *testing.T) {
			out := written(t, write, state, Options{Rows: allRows(state), Filter: nasty})
			if !utf8.Valid(out) {
				t.Error("not UTF-8")
			}
			for _, r := range string(out) {
				if unicode.IsControl(r) && r != '\n' || r == '\u202e' || r == '\u2028' {
					t.Fatalf("the output has %U:\n%s", r, out)
				}
			}
			if name == "text" {
				for _, line := range strings.Split(string(out), "\n") {
					if width := ansi.StringWidth(line); width > 80 && !strings.Contains(line, "]:") {
						t.Errorf("line of %d columns: %q", width, line)
					}
				}
			}
		})
	}
}

var errFull = errors.New("disk full")

// fullAfter fails once more than so many bytes were written.
type fullAfter int

func (f *fullAfter) Write(b []byte) (int, error) {
	if *f -= fullAfter(len(b)); *f < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriteErrorsAreHandedOn(t *testing.T) {
	state := crowd(5000)
	for name, write := range formats {
		for _, room := range []fullAfter{0, 100_000} {
			t.Run(fmt.Sprintf("%s/%d", name, room), func(t *testing.T) {
				if err := write(&room, state, Options{Rows: allRows(state), Filter: "x"}); !errors.Is(err, errFull) {
					t.Errorf("error = %v, want %v", err, errFull)
				}
			})
		}
	}
}

func TestUIDWhereTheSystemHasNone(t *testing.T) {
	state := busyHost()
	state.Moment.OS = "windows"
	m := newCleanState(state)
	got := map[int32]bool{}
	for _, row := range []int32{established, timeWaitObserved} {
		_, got[row] = m.uid(row)
	}
	if diff := cmp.Diff(map[int32]bool{established: false, timeWaitObserved: false}, got); diff != "" {
		t.Errorf("known uids on Windows (-want +got):\n%s", diff)
	}
}

// A host whose UDP ports are used has processes; the list is of those of TCP.
func TestTheListOfNoProcessNamesItsProtocol(t *testing.T) {
	t.Parallel()
	for inUse, want := range map[int]string{0: "with a socket\n", 100: "with a TCP socket\n"} {
		st := idleHost()
		st.UDP.Pressure.InUse = inUse
		var b strings.Builder
		if err := Text(&b, st, Options{}); err != nil || !strings.Contains(b.String(), "no process was seen "+want) {
			t.Errorf("%d UDP ports in use: %v, want %q in\n%s", inUse, err, want, b.String())
		}
	}
}

// A process that has ended says so, and JSON says when and what it was part of.
func TestEndedProcess(t *testing.T) {
	t.Parallel()
	st := busyHost()
	st.Cgroups = []source.Cgroup{{ID: 4, Unit: "docker-1f.scope", Container: "web", Kind: source.ScopeContainer}}
	st.Exits = make([]time.Time, len(st.Processes))
	java := st.TCP.Consumers[model.ByProcess][0].Process
	st.Processes[java].Cgroup, st.Exits[java] = 4, time.Date(2026, 11, 22, 13, 3, 11, 0, time.FixedZone("", 3600))
	const field = `"container":"web","unit":"docker-1f.scope","ended":"2026-11-22T12:03:11.000Z"`
	if got := string(written(t, JSON, st, Options{})); strings.Count(got, field) != 1 || strings.Count(got, `"ended"`) != 1 {
		t.Errorf("JSON has not %s once", field)
	}
	if got := string(written(t, Text, st, Options{})); !strings.Contains(got, "java (ended)") {
		t.Errorf("text does not say that java has ended:\n%s", got)
	}
}
