package text

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Count writes n with commas between its thousands: "18,006".
func Count(n int) string { return string(AppendCount(nil, n)) }

// AppendCount appends what [Count] writes.
func AppendCount(b []byte, n int) []byte {
	start := len(b)
	if n < 0 {
		start++
	}
	b = strconv.AppendInt(b, int64(n), 10)
	for i := len(b) - 3; i > start; i -= 3 {
		b = slices.Insert(b, i, ',')
	}
	return b
}

// Compact writes n in at most four columns where it is not negative: "950",
// "18k", "1.2M".
func Compact(n int) string { return string(AppendCompact(nil, n)) }

// AppendCompact appends what [Compact] writes. It cuts and does not round, so
// that a number never looks larger than it is.
func AppendCompact(b []byte, n int) []byte {
	const units = "kMGTPE"
	if n < 0 {
		return AppendCompact(append(b, '-'), -max(n, -math.MaxInt))
	}
	unit, rest := -1, 0
	for n >= 1000 {
		n, rest, unit = n/1000, n%1000, unit+1
	}
	b = strconv.AppendInt(b, int64(n), 10)
	if unit < 0 {
		return b
	}
	if n < 10 && rest >= 100 {
		b = append(b, '.', byte('0'+rest/100))
	}
	return append(b, units[unit])
}

// Percent writes p, a share in percent, without decimals: "64". A share that
// is not nothing never reads "0" but "<1", and one that is not all never reads
// "100".
func Percent(p float64) string { return string(AppendPercent(nil, p)) }

// AppendPercent appends what [Percent] writes.
func AppendPercent(b []byte, p float64) []byte {
	switch {
	case math.IsNaN(p) || p <= 0:
		return append(b, '0')
	case p < 0.5:
		return append(b, "<1"...)
	case p < 100:
		return strconv.AppendInt(b, int64(min(math.Round(p), 99)), 10)
	}
	return strconv.AppendInt(b, int64(math.Round(min(p, 1e9))), 10)
}

// Rate writes r, in things per second, with its sign: "+118", "−1", "0".
func Rate(r float64) string { return string(AppendRate(nil, r)) }

// AppendRate appends what [Rate] writes.
func AppendRate(b []byte, r float64) []byte {
	n := 0
	if !math.IsNaN(r) {
		n = int(math.Round(max(-1e9, min(r, 1e9))))
	}
	switch {
	case n > 0:
		b = append(b, '+')
	case n < 0:
		b, n = append(b, "−"...), -n
	}
	return AppendCount(b, n)
}

// Plural writes a count and its noun, "1 socket" or "3 sockets".
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// Bytes writes a number of bytes: "34 KB", "1.2 MB".
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000_000:
		return fmt.Sprintf("%d KB", n/1000)
	case n < 1000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// Times writes a factor: "2×", "0.25×".
func Times(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) + "×" }
