package text

import (
	"strconv"
	"time"
)

// Duration writes d in its two largest units: "41s", "1m 26s", "2h", "3d 4h".
// A unit that is nothing is left out, parts of a second are cut off, and a
// negative duration reads "0s".
func Duration(d time.Duration) string {
	return string(appendUnits(nil, d, 2))
}

// AppendAge appends d in its largest unit alone, which is at most four columns
// for the first thousand days: "41s", "3m", "2h", "3d".
func AppendAge(b []byte, d time.Duration) []byte { return appendUnits(b, d, 1) }

var units = [...]struct {
	size time.Duration
	name byte
}{
	{24 * time.Hour, 'd'}, {time.Hour, 'h'}, {time.Minute, 'm'}, {time.Second, 's'},
}

func appendUnits(b []byte, d time.Duration, most int) []byte {
	start, written := len(b), 0
	for _, u := range units {
		n := d / u.size
		if n > 0 {
			if written > 0 {
				b = append(b, ' ')
			}
			b = append(strconv.AppendInt(b, int64(n), 10), u.name)
			d -= n * u.size
		}
		// The next unit down counts even where it is nothing: "1d", not "1d 5s".
		if n > 0 || written > 0 {
			written++
		}
		if written == most {
			break
		}
	}
	if len(b) == start {
		return append(b, "0s"...)
	}
	return b
}
