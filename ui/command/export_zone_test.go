package command

import (
	"testing"
	"time"
)

// Exports are the same wherever they are made: times are in UTC, and the zone of
// who exports, which says where that is, is in none of them.
func TestExportsTellNoTimeZone(t *testing.T) { // not parallel: it changes the zone of all
	path := recordSecrets(t, "leak")
	local := time.Local
	defer func() { time.Local = local }()
	for _, f := range exportFormats() {
		t.Run(f.name, func(t *testing.T) {
			time.Local = time.UTC
			want, _, _ := exportOf(t, f.name, path, "-")
			time.Local = time.FixedZone("FAR", 9*60*60)
			if got, said, status := exportOf(t, f.name, path, "-"); status != 0 || got != want || got == "" {
				t.Errorf("status %d: %sfar away it is another export", status, said)
			}
		})
	}
}
