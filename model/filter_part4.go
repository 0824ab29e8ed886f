package model

import (
	"math"
	"strconv"
	"strings"

	"ephtop/source"
)

// part4 finds text in IPv4 addresses with port as they are shown, such as
// "0.9.2:54" in 10.0.9.2:5432, without writing them out: that would take most
// of the time of a text filter. The text is cut at its dots and its colon, and
// for each piece it is known beforehand in which numbers it fits.
type part4 struct {
	// octets are those that fit the pieces up to the colon. The first piece
	// can stand at the octets from first to last.
	octets      []fittingOctets
	first, last int
	// ports are those that fit the piece after the colon; or, with either,
	// those that fit a text which is one piece alone, and may as well be part
	// of an octet. Nil where the text has no place for a port.
	ports  *fittingPorts
	either bool
}

// newPart4 gives nil for text that is no part of an IPv4 address with port.
func newPart4(text string) *part4 {
	host, port, colon := strings.Cut(text, ":")
	pieces := strings.Split(host, ".")
	if strings.Trim(host, "0123456789.") != "" || strings.Trim(port, "0123456789") != "" || len(pieces) > 4 {
		return nil
	}
	p := &part4{last: 4 - len(pieces), either: len(pieces) == 1 && !colon}
	for i, piece := range pieces {
		var set fittingOctets
		for n := range 256 {
			if fits(strconv.Itoa(n), piece, i > 0, colon || i < len(pieces)-1) {
				set[n/64] |= 1 << (n % 64)
			}
		}
		p.octets = append(p.octets, set)
	}
	switch {
	case colon:
		p.first = p.last
		p.ports = portsThatFit(port, true)
	case p.either:
		p.ports = portsThatFit(host, false)
	}
	return p
}

// portsThatFit gives the ports that have piece as a part of their decimal
// number, or with atStart at its start. It counts them up from the digits
// before and after: to try all 65,536 would be felt in typing.
func portsThatFit(piece string, atStart bool) *fittingPorts {
	set := new(fittingPorts)
	if piece == "" {
		for i := range set {
			set[i] = math.MaxUint64
		}
		return set
	}
	const digits = len("65535")
	value, err := strconv.Atoi(piece)
	if err != nil || len(piece) > digits {
		return set
	}
	unit := 1
	for range piece {
		unit *= 10
	}
	for after, places := 1, len(piece); places <= digits; after, places = after*10, places+1 {
		for before := 0; before == 0 || !atStart; before++ {
			low := (before*unit + value) * after
			if low > math.MaxUint16 {
				break
			}
			if before == 0 && piece[0] == '0' && places > 1 {
				continue // no number but 0 starts with a 0
			}
			for n := low; n < low+after && n <= math.MaxUint16; n++ {
				set[n/64] |= 1 << (n % 64)
			}
		}
	}
	return set
}

// fits tells whether piece is a part of number, at its start and at its end
// where that is asked for.
func fits(number, piece string, atStart, atEnd bool) bool {
	switch {
	case atStart && atEnd:
		return number == piece
	case atStart:
		return strings.HasPrefix(number, piece)
	case atEnd:
		return strings.HasSuffix(number, piece)
	}
	return strings.Contains(number, piece)
}

// match tells whether the text is in address and port, which are IPv4.
func (p *part4) match(a *source.Addr, port uint16) bool {
	if p.ports != nil && p.ports.has(port) == p.either {
		return p.either
	}
next:
	for at := p.first; at <= p.last; at++ {
		for i := range p.octets {
			if !p.octets[i].has(a[12+at+i]) {
				continue next
			}
		}
		return true
	}
	return false
}

// fittingOctets has a bit for each value of an octet.
type fittingOctets [4]uint64

func (s *fittingOctets) has(n byte) bool { return s[n/64]>>(n%64)&1 != 0 }

// fittingPorts has a bit for each port.
type fittingPorts [1024]uint64

func (s *fittingPorts) has(n uint16) bool { return s[n/64]>>(n%64)&1 != 0 }
