package filter

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"ephtop/model"
	"ephtop/source"
)

// stateMatcher has bit s set for each state s that it lets pass.
type stateMatcher uint16

func (m stateMatcher) match(_ *model.State, s *source.Socket, _ *model.Row) bool {
	return m>>s.State&1 != 0
}

func compileStates(values []value, _ bool) (matcher, error) {
	var m stateMatcher
	for _, v := range values {
		s, err := source.ParseState(v.text)
		if err != nil {
			return nil, v.wrong("%v", err)
		}
		m |= 1 << s
	}
	return m, nil
}

// protoMatcher holds the protocols that it lets pass.
type protoMatcher []source.Proto

func (m protoMatcher) match(_ *model.State, s *source.Socket, _ *model.Row) bool {
	return slices.Contains(m, s.Proto)
}

func compileProtos(values []value, _ bool) (matcher, error) {
	var m protoMatcher
	for _, v := range values {
		p, err := source.ParseProto(v.text)
		if err != nil {
			return nil, v.wrong("%v", err)
		}
		m = append(m, p)
	}
	return m, nil
}

// tierMatcher has bit t set for each tier t that it lets pass.
type tierMatcher uint8

func (m tierMatcher) match(_ *model.State, _ *source.Socket, r *model.Row) bool {
	return m>>r.Tier&1 != 0
}

func compileTiers(values []value, _ bool) (matcher, error) {
	var m tierMatcher
next:
	for _, v := range values {
		for t := model.OwnerUnknown; t <= model.OwnerTraced; t++ {
			if strings.EqualFold(v.text, t.String()) {
				m |= 1 << t
				continue next
			}
		}
		return nil, v.wrong("unknown owner %q: use unknown, inferred, observed or traced", v.text)
	}
	return m, nil
}

// processOf is the process of a row, or nil.
func processOf(st *model.State, r *model.Row) *source.Process {
	if r.Process == source.NoProcess {
		return nil
	}
	return &st.Processes[r.Process]
}

type pidMatcher []int32

func (m pidMatcher) match(st *model.State, _ *source.Socket, r *model.Row) bool {
	p := processOf(st, r)
	return p != nil && slices.Contains(m, p.PID)
}

func compilePIDs(values []value, _ bool) (matcher, error) {
	var m pidMatcher
	for _, v := range values {
		pid, err := strconv.ParseUint(v.text, 10, 31)
		if err != nil {
			return nil, v.wrong("bad pid %q: use a number, as in pid:4410", v.text)
		}
		m = append(m, int32(pid))
	}
	return m, nil
}

// userMatcher holds users by name or number.
type userMatcher []user

type user struct {
	name    string
	uid     uint32
	numeric bool
}

func (m userMatcher) match(st *model.State, s *source.Socket, r *model.Row) bool {
	p := processOf(st, r)
	for i := range m {
		u := &m[i]
		switch {
		case p != nil && (u.numeric && p.UID == u.uid || strings.EqualFold(p.User, u.name)):
			return true
		case p == nil && u.numeric && s.HasOwner() && s.UID == u.uid:
			return true
		}
	}
	return false
}

func compileUsers(values []value, _ bool) (matcher, error) {
	var m userMatcher
	for _, v := range values {
		uid, err := strconv.ParseUint(v.text, 10, 32)
		m = append(m, user{v.text, uint32(uid), err == nil})
	}
	return m, nil
}

// ageMatcher holds ranges of age, in nanoseconds, both ends included.
type ageMatcher []ageRange

type ageRange struct{ low, high int64 }

func (m ageMatcher) match(st *model.State, _ *source.Socket, r *model.Row) bool {
	age := r.Age.Duration().Nanoseconds()
	for _, a := range m {
		if a.low <= age && age <= a.high {
			return true
		}
	}
	return false
}

func compileAges(values []value, _ bool) (matcher, error) {
	var m ageMatcher
	for _, v := range values {
		text := strings.TrimLeft(v.text, "<>=")
		d, ok := parseAge(text)
		if !ok {
			return nil, v.wrong("bad age %q: use a time such as 30s, 5m, 2h or 1d, as in age>30s", v.text)
		}
		r := ageRange{math.MinInt64, math.MaxInt64}
		switch v.text[:len(v.text)-len(text)] {
		case ">":
			r.low = d + 1
		case ">=":
			r.low = d
		case "<":
			r.high = d - 1
		case "<=":
			r.high = d
		case "", "=":
			r = ageRange{d, d + int64(time.Second) - 1}
		default:
			return nil, v.wrong("bad comparison in %q: use >, >=, <, <= or =", v.text)
		}
		m = append(m, r)
	}
	return m, nil
}

// maxAge keeps sums of ages far from overflow, in nanoseconds.
const maxAge = math.MaxInt64 / 4

// parseAge reads a duration as Go writes it, with days in front if wanted, as
// in 1d12h, and gives nanoseconds.
func parseAge(s string) (int64, bool) {
	if s == "" || s[0] == '-' || s[0] == '+' {
		return 0, false
	}
	var days uint64
	if number, rest, ok := strings.Cut(s, "d"); ok {
		var err error
		if days, err = strconv.ParseUint(number, 10, 32); err != nil || days > maxAge/uint64(24*time.Hour) {
			return 0, false
		}
		if s = rest; s == "" {
			s = "0"
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > maxAge {
		return 0, false
	}
	return int64(days)*int64(24*time.Hour) + int64(d), true
}
