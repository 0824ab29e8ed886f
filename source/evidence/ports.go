package evidence

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"ephtop/source"
)

// portSet is a set of ports: sorted ranges with a gap between any two. It is
// never changed in place.
type portSet []source.PortRange

// everyPort holds all numbers that fit the field of a header, 0 included.
func everyPort() portSet { return portSet{{Low: 0, High: math.MaxUint16}} }

// newPortSet sorts ranges and joins those that touch. Ranges whose low end is
// above the high end are left out.
func newPortSet(ranges ...source.PortRange) portSet {
	ranges = slices.DeleteFunc(slices.Clone(ranges), func(r source.PortRange) bool { return r.Low > r.High })
	slices.SortFunc(ranges, func(a, b source.PortRange) int { return cmp.Compare(a.Low, b.Low) })
	var s portSet
	for _, r := range ranges {
		if n := len(s); n > 0 && int(r.Low) <= int(s[n-1].High)+1 {
			s[n-1].High = max(s[n-1].High, r.High)
			continue
		}
		s = append(s, r)
	}
	return s
}

func (s portSet) or(t portSet) portSet {
	switch {
	case len(s) == 0:
		return t
	case len(t) == 0:
		return s
	}
	return newPortSet(slices.Concat(s, t)...)
}

func (s portSet) and(t portSet) portSet {
	var both portSet
	for len(s) > 0 && len(t) > 0 {
		low, high := max(s[0].Low, t[0].Low), min(s[0].High, t[0].High)
		if low <= high {
			both = append(both, source.PortRange{Low: low, High: high})
		}
		if s[0].High < t[0].High {
			s = s[1:]
		} else {
			t = t[1:]
		}
	}
	return both
}

func (s portSet) not() portSet {
	var rest portSet
	next := 0
	for _, r := range s {
		if int(r.Low) > next {
			rest = append(rest, source.PortRange{Low: uint16(next), High: r.Low - 1})
		}
		next = int(r.High) + 1
	}
	if next <= math.MaxUint16 {
		rest = append(rest, source.PortRange{Low: uint16(next), High: math.MaxUint16})
	}
	return rest
}

func (s portSet) minus(t portSet) portSet {
	if len(s) == 0 || len(t) == 0 {
		return s
	}
	return s.and(t.not())
}

func (s portSet) empty() bool { return len(s) == 0 }

// String gives "80,1024-2047".
func (s portSet) String() string {
	texts := make([]string, len(s))
	for i, r := range s {
		texts[i] = r.String()
		if r.Low == r.High {
			texts[i] = strconv.Itoa(int(r.Low))
		}
	}
	return strings.Join(texts, ",")
}
