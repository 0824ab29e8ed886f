package source

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PortRange is the range of ports, both ends included, from which the system
// picks a port for a socket that names none.
type PortRange struct {
	Low  uint16 `json:"low"`
	High uint16 `json:"high"`
}

// Count is the number of ports in the range, reserved ones included.
func (r PortRange) Count() int { return int(r.High) - int(r.Low) + 1 }

// Contains tells whether port lies in the range.
func (r PortRange) Contains(port uint16) bool { return port >= r.Low && port <= r.High }

// String gives "32768-60999".
func (r PortRange) String() string { return fmt.Sprintf("%d-%d", r.Low, r.High) }

// ErrRange is wrapped by errors about a port range that makes no sense.
var ErrRange = errors.New("bad port range")

// Validate tells whether the range makes sense: 1 ≤ Low ≤ High.
func (r PortRange) Validate() error {
	switch {
	case r.Low == 0:
		return fmt.Errorf("%w %q: ports go from 1 to 65535", ErrRange, r)
	case r.Low > r.High:
		return fmt.Errorf("%w %q: the low end is above the high end", ErrRange, r)
	}
	return nil
}

// ParsePortRange reads "LOW-HIGH", as in --range and in
// ip_local_reserved_ports.
func ParsePortRange(s string) (PortRange, error) {
	low, high, ok := strings.Cut(s, "-")
	if !ok {
		return PortRange{}, fmt.Errorf("%w %q: use LOW-HIGH, as in 32768-60999", ErrRange, s)
	}
	l, err1 := strconv.ParseUint(strings.TrimSpace(low), 10, 16)
	h, err2 := strconv.ParseUint(strings.TrimSpace(high), 10, 16)
	if err1 != nil || err2 != nil {
		return PortRange{}, fmt.Errorf("%w %q: use LOW-HIGH with numbers from 1 to 65535", ErrRange, s)
	}
	r := PortRange{uint16(l), uint16(h)}
	return r, r.Validate()
}

// UnknownSetting is the value of a sysctl in Settings that could not be read.
const UnknownSetting = -1

// Settings are the system's rules for ephemeral ports, in the network
// namespace looked at.
type Settings struct {
	Range PortRange `json:"range"`
	// PickLow is the low end by which the system goes, whose parity says which
	// ports connect() tries first, where Range is not the system's own; 0 for
	// Range.Low.
	PickLow uint16 `json:"pick_low"`
	// Assumed says that Range could not be read and is the system's default.
	Assumed bool `json:"assumed"`
	// Default is the range of a system that nobody has tuned, by its name and
	// kernel.
	Default PortRange `json:"default"`
	// Reserved are ports that are never picked (ip_local_reserved_ports; on
	// Windows the excluded port ranges),
	// sorted and disjoint; they may lie outside Range.
	Reserved []PortRange `json:"reserved"`

	// TimeWait is how long a socket stays in TIME_WAIT.
	TimeWait time.Duration `json:"time_wait"`
	// ReuseTimeWait is net.ipv4.tcp_tw_reuse: 0 never, 1 always, 2 on
	// loopback. UnknownSetting where not read.
	ReuseTimeWait int `json:"reuse_time_wait"`
	// ReuseDelay is the age from which a TIME_WAIT can be reused
	// (net.ipv4.tcp_tw_reuse_delay; 1 s before it existed).
	ReuseDelay time.Duration `json:"reuse_delay"`
	// Timestamps is net.ipv4.tcp_timestamps: 0 off, 1 and 2 on.
	Timestamps int `json:"timestamps"`
	// MaxTimeWait is net.ipv4.tcp_max_tw_buckets, above which TIME_WAIT
	// sockets are dropped at once.
	MaxTimeWait int `json:"max_time_wait"`
	// PoolOnly says that the system picks a port without regard to the
	// destination (macOS), so that the pool is the limit and not the tuple.
	PoolOnly bool `json:"pool_only"`
	// Parity says that connect() and bind(0) prefer ports of opposite parity
	// (Linux): connect() those with that of the range's low end.
	Parity bool `json:"parity"`
}

// Validate tells whether the settings make sense. A range that is not known,
// the zero PortRange, does.
func (s *Settings) Validate() error {
	if s.Range != (PortRange{}) {
		if err := s.Range.Validate(); err != nil {
			return err
		}
	}
	next := 1 // the lowest port that may follow
	for _, r := range s.Reserved {
		if int(r.Low) < next || r.Low > r.High {
			return fmt.Errorf("reserved ports %v: they do not rise from 1", r)
		}
		next = int(r.High) + 1
	}
	if s.TimeWait < 0 || s.ReuseDelay < 0 {
		return fmt.Errorf("TIME_WAIT of %v, reused after %v: less than nothing", s.TimeWait, s.ReuseDelay)
	}
	return nil
}

// Second reports whether a port of the range is one that connect() tries last,
// and bind(0) first: one of the other parity than the low end.
func (s *Settings) Second(port uint16) bool { return (port^s.FirstLow())&1 != 0 }

// FirstLow returns the port whose parity connect() tries first.
func (s *Settings) FirstLow() uint16 {
	if s.PickLow != 0 {
		return s.PickLow
	}
	return s.Range.Low
}

// IsReserved tells whether port is never picked for a caller that names none.
func (s *Settings) IsReserved(port uint16) bool {
	for _, r := range s.Reserved {
		if r.Contains(port) {
			return true
		}
	}
	return false
}

// Ephemeral reports whether the system picks port for a socket that names
// none: whether it is in the range and not reserved.
func (s *Settings) Ephemeral(port uint16) bool {
	return s.Range.Low != 0 && s.Range.Contains(port) && !s.IsReserved(port)
}

// ReservedInRange counts the reserved ports inside Range.
func (s *Settings) ReservedInRange() int {
	n := 0
	for _, r := range s.Reserved {
		low, high := max(r.Low, s.Range.Low), min(r.High, s.Range.High)
		if low <= high {
			n += int(high) - int(low) + 1
		}
	}
	return n
}

// Usable is the number of ports that the system can pick: Range less the
// reserved ports.
func (s *Settings) Usable() int { return s.Range.Count() - s.ReservedInRange() }

// Clone copies the settings, so that a change to one copy leaves the other.
func (s Settings) Clone() Settings {
	s.Reserved = slices.Clone(s.Reserved)
	return s
}
