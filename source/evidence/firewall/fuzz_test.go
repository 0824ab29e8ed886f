package firewall

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ephtop/source"
)

// addFiles adds the files of testdata that fit a pattern.
func addFiles(f *testing.F, pattern string) {
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		f.Fatalf("no %s in testdata: %v", pattern, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

// checkShares tells whether the judgements share the range between them.
func checkShares(t *testing.T, f source.Firewall) {
	for _, r := range f.Returns {
		next := int(defaultRange.Low)
		all := slices.Concat(r.Accepted, r.Refused, r.Unclear)
		slices.SortFunc(all, func(a, b source.PortRange) int { return cmp.Compare(a.Low, b.Low) })
		for _, span := range all {
			if int(span.Low) != next || span.High < span.Low {
				t.Errorf("%s %s: judged are %v, not each port of %v once", r.Family, r.Protocol, all, defaultRange)
			}
			next = int(span.High) + 1
		}
		if next != int(defaultRange.High)+1 {
			t.Errorf("%s %s: judged are %v, not %v", r.Family, r.Protocol, all, defaultRange)
		}
	}
}

func FuzzNFT(f *testing.F) {
	addFiles(f, "*.json")
	f.Fuzz(func(t *testing.T, data []byte) {
		result, err := parseNFT(data, nil)
		if err == nil {
			checkShares(t, judged(result.rules, defaultRange))
		}
	})
}

func FuzzSaved(f *testing.F) {
	addFiles(f, "*.save")
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseSaved(data, false, "nft")
		if err == nil {
			checkShares(t, judged(s.rules, defaultRange))
		}
	})
}
