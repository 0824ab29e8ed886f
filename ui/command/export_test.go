package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/race"
	"ephtop/source/recording"
)

// secret is in all names of a marked moment, and the secret networks have all its
// addresses.
const (
	secret         = "acme"
	secretNetwork4 = "203.77."
	secretNetwork6 = "2a77:"
)

// mark puts the secret into all texts and addresses of a value: also those of fields
// that were added after this test was written.
func mark(v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *source.LimitCode:
		return
	case *source.Addr:
		switch {
		case p.IsWildcard(), p.IsLoopback():
		case p.Is4():
			p[12], p[13] = 203, 77
		default:
			p[0], p[1] = 0x2a, 0x77
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); s != "" && s != "root" && strings.Trim(s, "0123456789") != "" {
			v.SetString(secret + s)
		}
	case reflect.Slice:
		for i := range v.Len() {
			mark(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				mark(f)
			}
		}
	}
}

// recordSecrets records a simulated host in trouble as if it were a real one, whose
// names and addresses are nobody's business.
func recordSecrets(t *testing.T, scenario string) (path string) {
	t.Helper()
	host, err := demo.New(demo.Options{Scenario: scenario, Start: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Step: time.Second, Skip: 63 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := recording.NewWriter(&b, recording.Header{Program: "ephtop"})
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		var m source.Moment // of its own, for it is changed
		if err := host.Poll(context.Background(), &m); err != nil {
			t.Fatal(err)
		}
		m.Limits = []source.Limit{{Detail: "the file server does not answer"}, {Code: source.LimitOwners, Detail: "open /srv/keys: denied"}}
		m.NATs = []source.NAT{{Netns: m.Snapshots[0].Scope.Netns, Entries: 60_000, Max: 262_144, Seen: 60_000, Pools: []source.NATPool{{
			Address: source.Addr4([4]byte{198, 51, 100, 7}), Remote: source.Addr4([4]byte{93, 184, 216, 34}), RemotePort: 443, Proto: source.TCP, Used: 60_000,
			Flows: []source.Tuple{{Proto: source.TCP, Local: source.Addr4([4]byte{10, 1, 2, 3}), LocalPort: 40000, Remote: source.Addr4([4]byte{93, 184, 216, 34}), RemotePort: 443}},
		}}}}
		m.Quiet = append(m.Quiet, source.Brief{Scope: source.Scope{Netns: 77, Kind: source.ScopePod, Name: "shop/quiet"}, Bound: 3, Usable: 28232})
		os, kind, room := m.OS, m.Source, m.Room
		m.Room = nil // which Snapshots have windows of
		mark(reflect.ValueOf(&m).Elem())
		m.OS, m.Source, m.Room, m.Kernel = os, kind, room, "6.18.0-"+secret
		if err := w.Write(&m); err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(t.TempDir(), "secret.eph")
	if err := errors.Join(w.Close(), os.WriteFile(path, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

// exportOf exports a recording to memory.
func exportOf(t testing.TB, format string, args ...string) (page, said string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = Run(append([]string{"export", "--as", format}, args...), Env{
		Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: func(string) string { return "" },
	})
	return stdout.String(), stderr.String(), status
}

// Nothing of who and where is in any format; with --as-is all of it is.
func TestExportsAreAnonymous(t *testing.T) {
	t.Parallel()
	if race.Enabled {
		t.Skip("the race detector has it take minutes, and sees as much in the other exports")
	}
	marks := regexp.MustCompile(`(?i)` + secret + `|` + regexp.QuoteMeta(secretNetwork4) + `|` + secretNetwork6)
	for _, scenario := range []string{"no-pool", "containers"} {
		path := recordSecrets(t, scenario)
		for _, f := range exportFormats() {
			t.Run(scenario+" "+f.name, func(t *testing.T) {
				t.Parallel()
				args := []string{path, "-"}
				if f.name == "json" {
					args = append(args, "--filter", "!state:LISTEN")
				}
				page, said, status := exportOf(t, f.name, args...)
				if status != 0 || page == "" || !strings.Contains(said, "replaced: 1 host, ") {
					t.Fatalf("status %d, %d bytes, %q", status, len(page), said)
				}
				for _, text := range []string{page, plainText(t, f.name, page), said} {
					if at := marks.FindStringIndex(text); at != nil {
						t.Errorf("it gives away …%s…", text[max(0, at[0]-80):min(len(text), at[1]+80)])
					}
				}
				again, _, _ := exportOf(t, f.name, args...)
				if again != page {
					t.Error("the second time it is another one")
				}
				page, said, status = exportOf(t, f.name, append(args, "--as-is")...)
				page = plainText(t, f.name, page)
				if status != 0 || said == "" || !strings.Contains(page, secret) || !strings.Contains(page, secretNetwork4) {
					t.Errorf("with --as-is: status %d, %q, no secret in %d bytes", status, said, len(page))
				}
			})
		}
	}
}

// plainText is what there is to read of a page: without the marks of its format, which
// may stand within a word.
func plainText(t *testing.T, format, page string) string {
	t.Helper()
	switch format {
	case "cast":
		var out strings.Builder
		for line := range strings.Lines(page) {
			var event []any
			if json.Unmarshal([]byte(line), &event) == nil && len(event) == 3 {
				out.WriteString(fmt.Sprintln(event[2]))
			}
		}
		return ansi.Strip(out.String())
	case "html":
		page = playedText(t, page) + page
		fallthrough
	case "svg":
		return html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, ""))
	}
	return page
}

// playedText is what a page shows while it plays: the film in it, a line a run.
func playedText(t *testing.T, page string) string {
	t.Helper()
	var film struct{ Frames []struct{ Runs [][]any } }
	_, rest, _ := strings.Cut(page, `id="film">`)
	data, _, _ := strings.Cut(rest, "</script>")
	if err := json.Unmarshal([]byte(data), &film); err != nil {
		t.Fatalf("the film in the page: %v", err)
	}
	var out strings.Builder
	for _, frame := range film.Frames {
		for _, run := range frame.Runs {
			for _, part := range run {
				if words, ok := part.(string); ok {
					out.WriteString(words)
				}
			}
			out.WriteByte('\n')
		}
	}
	return html.EscapeString(out.String())
}

// A name that is kept tells the story, and no more.
func TestExportKeepsNames(t *testing.T) {
	if race.Enabled {
		t.Skip("a host without a port takes minutes with the race detector")
	}
	t.Parallel()
	path := recordSecrets(t, "no-pool")
	page, said, status := exportOf(t, "md", "--keep-names", "acmeapi,nosuch", path, "-")
	if status != 0 || !regexp.MustCompile(`\*\*: acmeapi.* finds no port to `).MatchString(page) || strings.Contains(strings.ReplaceAll(page, "acmeapi", ""), secret) {
		t.Errorf("status %d: %s", status, page)
	}
	if !strings.Contains(said, "kept: the process names acmeapi; root, ") || !strings.Contains(said, "not there: no process is called nosuch\n") {
		t.Errorf("it says %q", said)
	}
}

// What stands for whom is the same in all formats, those of one moment too.
func TestStandInsAgreeBetweenFormats(t *testing.T) {
	if race.Enabled {
		t.Skip("a host without a port takes minutes with the race detector")
	}
	t.Parallel()
	path := recordSecrets(t, "no-pool")
	md, _, _ := exportOf(t, "md", path, "-")
	worst := regexp.MustCompile(`finds no port to ([0-9.]+):5432`).FindStringSubmatch(md)
	if worst == nil {
		t.Fatal(md)
	}
	for _, f := range exportFormats() {
		page, said, _ := exportOf(t, f.name, "--at", "12:01:05Z", path, "-")
		if !strings.Contains(plainText(t, f.name, page), worst[1]) {
			t.Errorf("%s: no %s in %d bytes, %q", f.name, worst[1], len(page), said)
		}
	}
}
