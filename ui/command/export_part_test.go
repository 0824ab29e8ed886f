package command

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"ephtop/source"
	"ephtop/source/recording"
)

// recordPods records two pods as if they were real: shop/late is there from the
// third second on, and its only connection is to 203.0.113.9.
func recordPods(t *testing.T, damage bool) (path string) {
	t.Helper()
	var b bytes.Buffer
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	w, err := recording.NewWriter(&b, recording.Header{Program: "test", Start: start})
	if err != nil {
		t.Fatal(err)
	}
	ports := source.PortRange{Low: 40000, High: 40099}
	for i := range 6 {
		var m source.Moment
		m.Time, m.Host = start.Add(time.Duration(i)*time.Second), "acme"
		pods := []string{"shop/early", "shop/late"}
		if i < 3 {
			pods = pods[:1]
		}
		for n, pod := range pods {
			s := m.Add(source.Scope{Host: "acme", Netns: uint64(4026531840 + n), Kind: source.ScopePod, Name: pod})
			s.Settings.Range = ports
			s.Sockets = append(s.Sockets, source.Socket{Proto: source.TCP, State: source.Established, Process: source.NoProcess,
				Local: source.Addr4([4]byte{10, 0, 0, byte(1 + n)}), LocalPort: 40000, Remote: source.Addr4([4]byte{203, 0, 113, byte(8 + n)}), RemotePort: 443})
		}
		if err := w.Write(&m); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if damage {
		lines := replaceLast(t, b.Bytes(), "{[\n")
		b.Reset()
		b.Write(lines)
	}
	path = filepath.Join(t.TempDir(), "pods.eph")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// replaceLast has another line be the last one of a recording.
func replaceLast(t *testing.T, data []byte, last string) []byte {
	t.Helper()
	d, err := zstd.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	lines, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	end := bytes.LastIndexByte(bytes.TrimSpace(lines), '\n') + 1
	return e.EncodeAll(append(lines[:end], last...), nil)
}

// A namespace that is nowhere, or not at the moment that is asked for, is refused in
// all formats, in the names that the recording has.
func TestExportRefusesANamespaceThatIsNotThere(t *testing.T) {
	t.Parallel()
	path := recordPods(t, false)
	for _, f := range exportFormats() {
		out := filepath.Join(t.TempDir(), "out")
		for where, args := range map[string][]string{
			`no "nope" in the recording`:        {"--netns", "nope"},
			`no "nope" at that moment`:          {"--netns", "nope", "--at", "12:00:04Z"},
			`no "shop/late" at that moment`:     {"--netns", "shop/late", "--at", "12:00:01Z"},
			`no "pod-1" in the recording: use `: {"--netns", "pod-1", "--as-is"},
		} {
			_, said, status := exportOf(t, f.name, append(args, path, out)...)
			if status != 2 || !strings.HasPrefix(said, "ephtop: --netns: there is "+where) || !strings.Contains(said, "shop/early, ") || strings.Count(said, "\n") > 1 {
				t.Errorf("%s of %v: status %d, %q", f.name, args, status, said)
			}
			if left, err := filepath.Glob(filepath.Join(filepath.Dir(out), "*")); err != nil || len(left) > 0 {
				t.Errorf("%s of %v leaves %v, %v", f.name, args, left, err)
			}
		}
	}
}

// A namespace is asked for by its name, though it has a stand-in in what is written;
// and the export begins when it is there.
func TestExportOfOneNamespace(t *testing.T) {
	t.Parallel()
	path := recordPods(t, false)
	for _, f := range exportFormats() {
		for _, asIs := range []bool{false, true} {
			args := []string{"--netns", "shop/late", path, "-"}
			if asIs {
				args = append(args, "--as-is")
			}
			page, said, status := exportOf(t, f.name, args...)
			text := plainText(t, f.name, page)
			if status != 0 || strings.Contains(text, "shop/late") != asIs && f.name != "csv" && f.name != "json" {
				t.Errorf("%s, as it is %v: status %d, %q\n%s", f.name, asIs, status, said, text)
			}
			if early := "12:00:02"; strings.Contains(text, early) || !strings.Contains(text, "12:00:03") && f.name != "md" {
				t.Errorf("%s, as it is %v: not from 12:00:03 on:\n%s", f.name, asIs, text)
			}
		}
	}
}

// Of a recording that is damaged, what is before that is exported, and said to be
// no more; as of one that was cut.
func TestExportOfADamagedRecording(t *testing.T) {
	t.Parallel()
	path := recordPods(t, true) // whose last moment is that of 12:00:05
	for _, f := range exportFormats() {
		out := filepath.Join(t.TempDir(), "out")
		_, said, status := exportOf(t, f.name, path, out)
		page, err := os.ReadFile(out)
		first, _, _ := strings.Cut(said, "\n")
		if status != 1 || err != nil || len(page) == 0 ||
			!strings.HasPrefix(first, "ephtop: "+path+": the recording is damaged at moment ") || !strings.Contains(first, ": this is of what was before, ") {
			t.Errorf("%s: status %d, %d bytes, %v, %q", f.name, status, len(page), err, said)
		}
		if !f.frames { // which may begin behind the damage
			left, said, status := exportOf(t, f.name, "--at", "12:00:09Z", path, "-")
			if status == 0 || left != "" || strings.Contains(said, "before") || strings.Count(said, "\n") != 1 {
				t.Errorf("%s of a moment that is not there: status %d, %q, %q", f.name, status, left, said)
			}
		}
		if f.name == "csv" {
			want := fmt.Sprintf(" before, %d whole moment", strings.Count(string(page), "\n")-1)
			if !strings.Contains(first, want) {
				t.Errorf("%d lines, and %q", strings.Count(string(page), "\n"), first)
			}
		}
	}
}

// What shows the screen is called by the moment that it begins at.
func TestExportsAreCalledByTheirFirstMoment(t *testing.T) {
	t.Parallel()
	path := recordPods(t, false)
	for _, f := range exportFormats() {
		if !f.frames {
			continue
		}
		for at, args := range map[string][]string{"12:00:00": nil, "12:00:04": {"--at", "12:00:04Z"}, "12:00:03": {"--netns", "shop/late"}} {
			page, said, status := exportOf(t, f.name, append(args, path, "-")...)
			if status != 0 || !strings.Contains(page, "ephtop, 2026-11-22 "+at+" UTC") {
				t.Errorf("%s of %v: status %d, %q, not called by %s", f.name, args, status, said, at)
			}
		}
	}
}

// That a recording was cut is said of what goes up to the cut.
func TestExportOfAMomentBeforeACut(t *testing.T) {
	t.Parallel()
	path := recordPods(t, false)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, replaceLast(t, data, ""), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range exportFormats() {
		for at, cut := range map[string]bool{"12:00:02Z": f.frames && f.name != "svg", "12:00:05Z": true} {
			_, said, status := exportOf(t, f.name, "--at", at, path, "-")
			if status != 0 || strings.Contains(said, " was cut: this is of its 6 whole moments\n") != cut || !cut && strings.Contains(said, " was cut") {
				t.Errorf("%s --at %s: status %d, %q; want it cut: %v", f.name, at, status, said, cut)
			}
		}
	}
}
