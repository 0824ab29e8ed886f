package evidence

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// conntrackStat is a host with two processors.
const conntrackStat = `entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart
0000000a  00000000 00000000 00000000 00000003 00000000 00000000 00000000 00000000 0000001f 00000002 00000001 00000000  00000000 00000000 00000000 00000000
0000000a  00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001 00000000 000000ff 00000000  00000000 00000000 00000000 00000000
`

func TestConntrack(t *testing.T) {
	full := map[string]string{
		"proc/sys/net/netfilter/nf_conntrack_count": "10\n",
		"proc/sys/net/netfilter/nf_conntrack_max":   "262144\n",
		"proc/net/stat/nf_conntrack":                conntrackStat,
	}
	tests := []struct {
		name   string
		change map[string]string // "" removes
		want   source.Conntrack
	}{
		{"all there", nil, tracked(read(""), 10, 262144, 32, 2, 256)},
		{"no counters", map[string]string{"proc/net/stat/nf_conntrack": ""},
			tracked(read("the counters of lost packets could not be read: no such file or directory"), 10, 262144, -1, -1, -1)},
		{"counters of another form", map[string]string{"proc/net/stat/nf_conntrack": "a b\n1\n"},
			tracked(read("the counters of lost packets could not be read: a row of 1 numbers under 2 names"), 10, 262144, -1, -1, -1)},
		{"not loaded", map[string]string{"proc/sys/net/netfilter/nf_conntrack_count": ""},
			tracked(notThere("connection tracking (nf_conntrack) is not loaded"), 0, 0, -1, -1, -1)},
		{"no number", map[string]string{"proc/sys/net/netfilter/nf_conntrack_count": "many"},
			tracked(notReadable(`nf_conntrack_count: bad number "many"`), 0, 0, -1, -1, -1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := make(map[string]string)
			for _, from := range []map[string]string{full, tt.change} {
				for name, text := range from {
					files[name] = text
					if text == "" {
						delete(files, name)
					}
				}
			}
			got := newGatherer(Options{Root: writeTree(t, files)}.withDefaults()).conntrack(t.Context())
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func tracked(s source.Status, count, limit int, insertFailed, drop, earlyDrop int64) source.Conntrack {
	return source.Conntrack{Status: s, Count: count, Max: limit, InsertFailed: insertFailed, Drop: drop, EarlyDrop: earlyDrop}
}
