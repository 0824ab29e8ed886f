package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A filter asks for what is in the export. By the original of a stand-in it would find
// nothing, and stand on the screen.
func TestExportRefusesAFilterByWhatItReplaces(t *testing.T) {
	t.Parallel()
	path := recordPods(t, false)
	for filter, refused := range map[string]bool{
		"ns:shop/late": true, "remote:203.0.113.9": true, "state:ESTABLISHED !addr:203.0.113.9:443": true, `ns="shop/early"`: true, "203.0.113.9": true,
		"remote:203.0.113.0/24": true, "ns:SHOP": true, "cmd:nothing": true, "remote:0.0.0.0/0": false, "ns:pod": false,
		"ns:pod-1": false, "remote:127.0.0.1": false, "rport:https state:ESTABLISHED": false, "ns:none": false,
	} {
		out := filepath.Join(t.TempDir(), "out")
		_, said, status := exportOf(t, "svg", "--filter", filter, path, out)
		_, err := os.Stat(out)
		switch {
		case refused && (status != 2 || !strings.Contains(said, " is by ") || strings.Count(said, "\n") != 1 || err == nil):
			t.Errorf("%s: status %d, %q, %v; want it refused", filter, status, said, err)
		case !refused && (status != 0 || err != nil):
			t.Errorf("%s: status %d, %q, %v", filter, status, said, err)
		}
		if _, said, status := exportOf(t, "svg", "--as-is", "--filter", filter, path, "-"); status != 0 {
			t.Errorf("%s of all as it is: status %d, %q", filter, status, said)
		}
	}
	script := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(script, []byte("Type \"3\"\nType \"/ns:sh\"\nSleep 1s\nType \"op/late\"\nEnter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if page, said, status := exportOf(t, "cast", "--keys", script, path, "-"); status != 2 || page != "" || !strings.HasPrefix(said, "ephtop: the filter ns:shop/late is by what has a stand-in, pod-2: ") {
		t.Errorf("typed: status %d, %d bytes, %q", status, len(page), said)
	}
}
