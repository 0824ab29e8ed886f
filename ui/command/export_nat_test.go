package command

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/recording"
)

// All formats tell of the ports of a NAT that --nat speaks of, as a replay does.
func TestExportsKnowTheNATOnTheWay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "nat.eph")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	w, err := recording.NewWriter(file, recording.Header{Program: "test", Start: start})
	if err != nil {
		t.Fatal(err)
	}
	m := source.Moment{Time: start, Host: "acme"}
	s := m.Add(source.Scope{Host: "acme", Netns: 5, Kind: source.ScopeHost})
	s.Settings.Range = source.PortRange{Low: 32768, High: 60999}
	for i := range 60 {
		s.Sockets = append(s.Sockets, source.Socket{Proto: source.TCP, State: source.Established, Process: source.NoProcess,
			Local: source.Addr4([4]byte{10, 0, 0, 1}), LocalPort: uint16(40000 + 2*i), Remote: source.Addr4([4]byte{203, 0, 113, 9}), RemotePort: 443})
	}
	if err := errors.Join(w.Write(&m), w.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	for _, f := range exportFormats() {
		for nat, want := range map[string]bool{"64": true, "55000": false} {
			page, said, status := exportOf(t, f.name, "--nat", nat, path, "-")
			told := regexp.MustCompile(` NAT ports|\(--nat\)|,critical,`).MatchString(plainText(t, f.name, page))
			if status != 0 || told != want {
				t.Errorf("%s, --nat %s: status %d, %q; told is %v", f.name, nat, status, said, told)
			}
		}
	}
}
