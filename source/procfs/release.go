package procfs

import "fmt"

// ReleaseBefore reports whether a release of Linux such as "3.10.0-1160.el7"
// is older than major.minor. It is not ok where the release does not begin with
// two numbers.
func ReleaseBefore(release string, major, minor int) (before, ok bool) {
	var first, second int
	if _, err := fmt.Sscanf(release, "%d.%d", &first, &second); err != nil {
		return false, false
	}
	return first < major || first == major && second < minor, true
}
