package command

import "testing"

func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"snapshot", "check", "--interval", "--filter", "--for", "leak", "no-pool", "containers", "nord", "mono"}
	for word, want := range map[string]string{
		"snapshto": "snapshot", "snpshot": "snapshot", "SNAPSHOT": "snapshot", "snap": "snapshot", "chekc": "check",
		"--intervall": "--interval", "--int": "--interval", "leek": "leak", "pool": "no-pool", "container": "containers", "nrod": "nord",
		"": "", "x": "", "--f": "", "bogus": "", "tail": "", "o": "",
		"ono":          "mono", // the only one that has it
		"\xff\xfe\xfd": "",
	} {
		if got := nearest(word, words); got != want {
			t.Errorf("%q is near %q, want %q", word, got, want)
		}
	}
}

func TestSlips(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"same", "same", 0}, {"sane", "same", 1}, {"smae", "same", 1}, {"sme", "same", 1}, {"samme", "same", 1}, {"abc", "xyz", 3}} {
		if got := slips(tt.a, tt.b); got != tt.want {
			t.Errorf("from %q to %q: %d slips, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := slips(tt.b, tt.a); got != tt.want {
			t.Errorf("from %q to %q: %d slips, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}
