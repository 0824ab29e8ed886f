package evidence

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// parseShortUnix reads a line of "journalctl -o short-unix": seconds since
// 1970 with a fraction, then host, program and message. A line that begins
// otherwise goes on with the message of the line before.
func parseShortUnix(line string) (logLine, bool) {
	stamp, rest, ok := strings.Cut(line, " ")
	if !ok {
		return logLine{}, false
	}
	whole, fraction, ok := strings.Cut(stamp, ".")
	seconds, err := strconv.ParseInt(whole, 10, 40)
	if !ok || err != nil || seconds < 0 || len(fraction) != 6 {
		return logLine{}, false
	}
	micros, err := strconv.ParseUint(fraction, 10, 32)
	if err != nil {
		return logLine{}, false
	}
	return logLine{time.Unix(seconds, int64(micros)*1000), rest}, true
}

// parseKernelRecord reads a record of /dev/kmsg: "priority,number,microseconds
// since boot,flags;message" and further lines with keys (kernel
// Documentation/ABI/testing/dev-kmsg).
func parseKernelRecord(record []byte, boot time.Time) (logLine, bool) {
	head, body, ok := bytes.Cut(record, []byte(";"))
	fields := bytes.Split(head, []byte(","))
	if !ok || len(fields) < 3 {
		return logLine{}, false
	}
	micros, err := strconv.ParseUint(string(fields[2]), 10, 53)
	if err != nil {
		return logLine{}, false
	}
	message, _, _ := bytes.Cut(body, []byte("\n"))
	return logLine{boot.Add(time.Duration(micros) * time.Microsecond), "kernel: " + string(message)}, true
}

// parseSyslogLine reads a line of a file that syslog writes. now says which
// year a time without one belongs to: the last that does not put the line more
// than a day into the future. A line without a time that is understood keeps
// its text and has none.
func parseSyslogLine(line string, now time.Time) logLine {
	if stamp, rest, ok := strings.Cut(line, " "); ok && len(stamp) >= len("2006-01-02T15:04:05Z") {
		if t, err := time.Parse(time.RFC3339Nano, stamp); err == nil {
			return logLine{t, rest}
		}
	}
	const layout = "Jan _2 15:04:05"
	if len(line) > len(layout) {
		// The year goes in first, so that 29 February is a day in leap years.
		for _, year := range []int{now.Year(), now.Year() - 1} {
			t, err := time.ParseInLocation("2006 "+layout, strconv.Itoa(year)+" "+line[:len(layout)], now.Location())
			if err == nil && !t.After(now.Add(24*time.Hour)) {
				return logLine{t, strings.TrimSpace(line[len(layout):])}
			}
		}
	}
	return logLine{text: line}
}
