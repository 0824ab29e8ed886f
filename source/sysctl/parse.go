package sysctl

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"ephtop/source"
)

// parseRange reads net.ipv4.ip_local_port_range: two numbers and nothing else.
func parseRange(text string) (source.PortRange, error) {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return source.PortRange{}, fmt.Errorf("%w %s: want two numbers", source.ErrRange, quote(text))
	}
	low, err1 := parsePort(fields[0])
	high, err2 := parsePort(fields[1])
	if err1 != nil || err2 != nil {
		return source.PortRange{}, fmt.Errorf("%w %s: want two numbers from 1 to 65535", source.ErrRange, quote(text))
	}
	r := source.PortRange{Low: low, High: high}
	return r, r.Validate()
}

// parseReserved reads net.ipv4.ip_local_reserved_ports: ports and stretches of
// ports such as "1,2,4000-5000", in rising order (proc_do_large_bitmap). An
// empty line reserves nothing; an empty file is an error, as the kernel always
// ends the line. Port 0 can be listed and means nothing, so it is left out.
func parseReserved(text string) ([]source.PortRange, error) {
	bad := func(why string) error { return fmt.Errorf("bad list of ports %s: %s", quote(text), why) }
	if text == "" {
		return nil, bad("the file is empty")
	}
	list := strings.TrimSpace(text)
	if list == "" {
		return nil, nil
	}
	listed, err := ParsePorts(list)
	if err != nil {
		return nil, bad("want ports from 0 to 65535, as in 1,2,4000-5000")
	}
	var ranges []source.PortRange
	next := 0 // the lowest port that may follow
	for _, r := range listed {
		if int(r.Low) < next || r.High < r.Low {
			return nil, bad("the ports do not rise")
		}
		next = int(r.High) + 1
		if r.High > 0 {
			ranges = append(ranges, source.PortRange{Low: max(r.Low, 1), High: r.High})
		}
	}
	return ranges, nil
}

// ParsePorts reads ports and stretches of ports such as "4000-5000,1,2", in any
// order.
func ParsePorts(list string) ([]source.PortRange, error) {
	ranges := make([]source.PortRange, 0, strings.Count(list, ",")+1)
	for item := range strings.SplitSeq(list, ",") {
		from, to, stretch := strings.Cut(item, "-")
		if !stretch {
			to = from
		}
		low, err1 := parsePort(from)
		high, err2 := parsePort(to)
		if err := cmp.Or(err1, err2); err != nil {
			return nil, err
		}
		ranges = append(ranges, source.PortRange{Low: low, High: high})
	}
	return ranges, nil
}

// parseNumber reads a sysctl that is one whole number from 0 to limit.
func parseNumber(text string, limit int64) (int, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 || n > limit {
		return 0, fmt.Errorf("bad value %s: want a number from 0 to %d", quote(text), limit)
	}
	return int(n), nil
}

// parseLimit reads a sysctl that bounds a count: an int in which a negative
// number lets nothing through, as 0 does.
func parseLimit(text string) (int, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("bad value %s: want a number up to %d", quote(text), math.MaxInt32)
	}
	return int(max(n, 0)), nil
}

// parseNetsh reads the answer of "netsh int ipv4 show dynamicport tcp". Its
// labels are in the language of the system, so that only the two numbers at
// the ends of lines count: the first port, then how many there are.
func parseNetsh(text string) (source.PortRange, error) {
	var numbers []int
	for line := range strings.Lines(text) {
		if n, ok := lastNumber(line); ok {
			numbers = append(numbers, n)
		}
	}
	if len(numbers) != 2 {
		return source.PortRange{}, fmt.Errorf("%w %s: want two lines that end in a number", source.ErrRange, quote(text))
	}
	first, count := numbers[0], numbers[1]
	if first < 1 || count < 1 || first > math.MaxUint16 || count > math.MaxUint16 || first+count-1 > math.MaxUint16 {
		return source.PortRange{}, fmt.Errorf("%w: %d ports from %d on", source.ErrRange, count, first)
	}
	return source.PortRange{Low: uint16(first), High: uint16(first + count - 1)}, nil
}

// parseExcluded reads the answer of "netsh int ipv4 show excludedportrange".
// Its words are in the language of the system too: under a rule of dashes, a
// line that begins with a number gives the first and the last port of a range,
// marked where an administrator set it. The ranges overlap at times; those that
// touch are joined.
func parseExcluded(text string) ([]source.PortRange, error) {
	var ranges []source.PortRange
	ruled := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case !ruled:
			ruled = strings.Trim(line, "- \t") == ""
		case line[0] >= '0' && line[0] <= '9':
			r, err := parseRange(strings.TrimSuffix(line, "*"))
			if err != nil {
				return nil, err
			}
			ranges = append(ranges, r)
		}
	}
	if !ruled {
		return nil, fmt.Errorf("bad table of ports %s: want a rule of dashes", quote(text))
	}
	slices.SortFunc(ranges, func(a, b source.PortRange) int { return cmp.Compare(a.Low, b.Low) })
	joined := ranges[:0]
	for _, r := range ranges {
		if last := len(joined) - 1; last >= 0 && int(r.Low) <= int(joined[last].High)+1 {
			joined[last].High = max(joined[last].High, r.High)
		} else {
			joined = append(joined, r)
		}
	}
	return joined, nil
}

// lastNumber reads the number at the end of a line, if one stands there by
// itself. The colon before it may be of another script or code page, in some of
// which its second byte is that of a letter.
func lastNumber(line string) (int, bool) {
	line = strings.TrimSpace(line)
	label := strings.TrimRight(line, "0123456789")
	if label == line || label == "" {
		return 0, false
	}
	tail := label[max(0, len(label)-2):]
	if !strings.ContainsAny(tail[len(tail)-1:], ": \t") && tail[0] < 0x80 && tail[len(tail)-1] < 0x80 {
		return 0, false
	}
	n, err := strconv.Atoi(line[len(label):])
	if errors.Is(err, strconv.ErrRange) {
		n, err = math.MaxInt, nil
	}
	return n, err == nil
}

// sysctlRange makes a range of net.inet.ip.portrange.first and .last. The
// kernels of the BSD family take them in either order (in_pcb_lport).
func sysctlRange(first, last uint32) (source.PortRange, error) {
	if first > last {
		first, last = last, first
	}
	if first < 1 || last > math.MaxUint16 {
		return source.PortRange{}, fmt.Errorf("net.inet.ip.portrange.first and .last: %w %d and %d: ports go from 1 to 65535",
			source.ErrRange, first, last)
	}
	return source.PortRange{Low: uint16(first), High: uint16(last)}, nil
}

// parsePort reads digits only; strconv.ParseUint allows no sign and, in base
// 10, no underscore.
func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err
}

// quoted is how much of a bad value an error shows, in bytes.
const quoted = 40

// quote shows a bad value in an error.
func quote(text string) string {
	if len(text) > quoted {
		return strconv.Quote(text[:quoted]) + "…"
	}
	return strconv.Quote(text)
}
