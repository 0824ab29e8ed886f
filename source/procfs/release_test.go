package procfs

import "testing"

func TestReleaseBefore(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		release    string
		before, ok bool // 6.8
	}{
		{"6.7.9", true, true}, {"6.7", true, true}, {"6.1.0-18-amd64", true, true}, {"5.15.0", true, true}, {"5.9-rc2", true, true},
		{"3.10.0-1160.el7.x86_64", true, true}, {"2.6.32", true, true},
		{"6.8.0", false, true}, {"6.8", false, true}, {"6.8-rc1", false, true}, {"6.8.0-31-generic", false, true}, {"6.10.3", false, true},
		{"6.18.44-fc-v657", false, true}, {"7.0.0-rc1", false, true},
		{"", false, false}, {"6", false, false}, {"six.eight", false, false}, {".", false, false}, {"6.", false, false},
		{"99999999999999999999.1", false, false},
	} {
		if before, ok := ReleaseBefore(test.release, 6, 8); before != test.before || ok != test.ok {
			t.Errorf("%q: before 6.8 %v, ok %v; want %v, %v", test.release, before, ok, test.before, test.ok)
		}
	}
}

func FuzzReleaseBefore(f *testing.F) {
	for _, seed := range []string{"6.18.44-fc-v657", "4.1.0", "3.10.0-1160.el7", "", ".", "4.", "4.2+"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, release string) {
		before, ok := ReleaseBefore(release, 4, 2)
		if later, _ := ReleaseBefore(release, 4, 3); before && (!ok || !later) {
			t.Errorf("%q is before 4.2 (ok %v) but not before 4.3", release, ok)
		}
	})
}
