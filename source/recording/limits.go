package recording

import (
	"errors"
	"fmt"
	"io"
	"time"

	"ephtop/source"
)

// Version is the version of the format that this package writes and reads.
const Version = 2

// FullEvery is the distance of full moments.
const FullEvery = 60

// TimerTolerance is how far a timer may be from what its last record foretells
// before it is recorded anew. It is larger than the time that a dump takes,
// and than the least retransmission timeout (200 ms), so that neither makes a
// socket change with each moment.
const TimerTolerance = 500 * time.Millisecond

// The bounds of what is written and read.
const (
	maxWindow    = 8 << 20   // bytes of zstd's window
	maxMoment    = 128 << 20 // bytes of the lines of a moment
	maxTail      = 256 << 20 // bytes of all lines behind the last point
	maxHeader    = 64 << 10  // bytes of the header
	maxString    = 128 << 10 // bytes of a text; longer ones are cut
	maxTexts     = 64 << 20  // bytes of all texts of the processes
	maxObjects   = 4 << 20   // JSON objects in a moment
	maxMembers   = 256       // names in one of them
	maxDepth     = 32        // lists and objects within each other
	maxSockets   = 1 << 20   // and as many of their ids
	maxProcesses = 1 << 20
	maxEvents    = 1 << 20
	maxScopes    = 1 << 16
	maxBlocked   = 1 << 23 // ports of all namespaces
	maxRate      = 1000    // moments a second
	maxPoints    = 1 << 14 // places from which reading can begin
	maxFrames    = 1 << 20 // frames in an index: two years, at a moment a second
	maxTries     = 3       // places from which the end is looked for
)

// What a moment may hold however few its bytes are under zstd, and what each of
// these bytes allows beyond. The free part is enough for a host of 200,000
// sockets. What real hosts have goes on far below the rest, and what was made up
// to fill memory comes out of next to nothing.
const (
	freeText    = 32 << 20
	freeObjects = 1 << 18
	freeScopes  = 1 << 13

	textPerByte    = 64
	tailPerByte    = 128
	bytesPerObject = 4
	bytesPerScope  = 16
)

// FreeEvents is how many events a moment may have however few bytes they take,
// beside 20,000 sockets. An event is three objects.
const FreeEvents = 80_000

// load is what a moment asks of the memory of who reads it, and the bytes of
// zstd that it comes from.
type load struct{ text, objects, scopes, packed int }

// check tells whether that is in proportion.
func (l load) check() error {
	for _, n := range [...]struct {
		is, most int
		of       string
	}{
		{l.text, min(maxMoment, freeText+textPerByte*l.packed), "bytes"},
		{l.objects, min(maxObjects, freeObjects+l.packed/bytesPerObject), "objects"},
		{l.scopes, min(maxScopes, freeScopes+l.packed/bytesPerScope), "namespaces"},
	} {
		if n.is > n.most {
			return fmt.Errorf("more than %d %s", n.most, n.of)
		}
	}
	return nil
}

// count counts the JSON objects of lines, which need not be JSON. To tell whether
// a name is there twice takes memory for each name of an object, so these are
// bounded, and so is how deep they are nested.
type count struct {
	objects int
	members [maxDepth + 1]int // so far, at each depth
	depth   int
	// quoted says that a text has not ended yet, escaped that a backslash stands
	// last in it.
	quoted, escaped bool
}

// marks are the bytes that may change what is counted: few of a line.
var marks = [256]bool{'\n': true, '\\': true, '"': true, ':': true, '{': true, '}': true, '[': true, ']': true}

// add goes on with a part of a line.
func (c *count) add(part []byte) error {
	for _, b := range part {
		if !marks[b] && !c.escaped {
			continue
		}
		switch {
		case b == '\n':
			c.depth, c.quoted, c.escaped = 0, false, false
		case c.escaped:
			c.escaped = false
		case c.quoted:
			c.quoted, c.escaped = b != '"', b == '\\'
		case b == '"':
			c.quoted = true
		case b == ':':
			if c.members[c.depth]++; c.members[c.depth] > maxMembers {
				return fmt.Errorf("more than %d names in an object", maxMembers)
			}
		case b == '{', b == '[':
			if c.depth++; c.depth > maxDepth {
				return fmt.Errorf("a depth of more than %d", maxDepth)
			}
			c.members[c.depth] = 0
			if b == '{' {
				c.objects++
			}
		case b == '}', b == ']':
			c.depth = max(0, c.depth-1)
		}
	}
	return nil
}

// Errors of reading. Each says in one line what a person needs to know.
var (
	// ErrNotRecording says that the input is something else.
	ErrNotRecording = errors.New("this is not a recording of ephtop")
	// ErrVersion says that the recording is of an older or a later ephtop.
	ErrVersion = fmt.Errorf("this program reads version %d", Version)
	// ErrDamaged says that what should be a recording breaks its format.
	ErrDamaged = errors.New("the recording is damaged")
	// ErrEmpty says that there is not one whole moment.
	ErrEmpty = errors.New("the recording was cut inside its first moment: nothing can be shown")
	// ErrCut comes instead of io.EOF where the recording ends without saying
	// so: every whole moment has been read. errors.Is takes it for io.EOF too.
	ErrCut error = endError("the recording was cut: this is its last whole moment")
	// ErrJoined comes instead of io.EOF where another recording follows, as in a file
	// that was joined of two: every whole moment of this one has been read, and none of
	// that one. errors.Is takes it for io.EOF too.
	ErrJoined error = endError("another recording begins behind the end of this one, and is not read: each needs a file of its own")
)

// ErrTooLarge says that a moment is beyond what a recording can hold.
var ErrTooLarge = errors.New("too large for a recording")

// endError is an end of which something is to be told.
type endError string

func (e endError) Error() string { return string(e) }

// Is says that it is an end.
func (endError) Is(target error) bool { return target == io.EOF }

// damaged says what is wrong with a moment. The end of a line's JSON is not
// that of the recording, for which io.EOF stands.
func damaged(moment int, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w at moment %d: %w", ErrDamaged, moment, err)
}

// What follows holds for what is written and for what is read, so that all
// that can be read can be written.

func checkSocket(s *source.Socket) error {
	if s.Proto != source.TCP && s.Proto != source.UDP || s.State >= source.NumStates {
		return fmt.Errorf("a socket of %v in state %d: neither TCP nor UDP", s.Proto, s.State)
	}
	return nil
}

// maxRest is how many connections a Rest can count.
const maxRest = 1 << 24

func checkRest(s *source.Snapshot) error {
	if len(s.Rest) > maxSockets {
		return fmt.Errorf("%d counts of connections without rows: %w", len(s.Rest), ErrTooLarge)
	}
	for _, r := range s.Rest {
		if r.State >= source.NumStates || r.Count < 0 || r.Count > maxRest || r.Odd < 0 || r.Odd > maxRest {
			return fmt.Errorf("%d connections without rows in state %d, %d of them on odd ports", r.Count, r.State, r.Odd)
		}
	}
	for i, r := range s.RestPorts {
		if r.High < r.Low || i > 0 && r.Low <= s.RestPorts[i-1].High {
			return errors.New("ports without rows that do not rise")
		}
	}
	return nil
}

// What a namespace may have of translated ports.
const (
	maxNATPools = 1 << 10
	maxNATFlows = 1 << 12 // of a pool
	maxEntries  = 1 << 30
)

func checkNATs(list []source.NAT) error {
	if len(list) > maxScopes {
		return fmt.Errorf("%d namespaces that track connections: %w", len(list), ErrTooLarge)
	}
	for i := range list {
		n := &list[i]
		if n.Entries < 0 || n.Entries > maxEntries || n.Max < 0 || n.Max > maxEntries || n.Seen < 0 || n.Seen > maxEntries || n.Age < 0 {
			return fmt.Errorf("%d of %d entries of connection tracking, %d seen %v ago", n.Entries, n.Max, n.Seen, n.Age)
		}
		if len(n.Pools) > maxNATPools {
			return fmt.Errorf("%d pools of translated ports: %w", len(n.Pools), ErrTooLarge)
		}
		for j := range n.Pools {
			p := &n.Pools[j]
			switch {
			case p.Proto != source.TCP && p.Proto != source.UDP:
				return fmt.Errorf("translated ports of %v: neither TCP nor UDP", p.Proto)
			case min(p.Used, p.Evictable, p.Unreplied, p.Ports) < 0 || max(p.Used, p.Evictable, p.Unreplied) > maxEntries || p.Ports > 1<<16:
				return fmt.Errorf("%d of %d translated ports used, %d of them evictable, %d not answered", p.Used, p.Ports, p.Evictable, p.Unreplied)
			case len(p.Flows) > maxNATFlows:
				return fmt.Errorf("%d flows of a pool: %w", len(p.Flows), ErrTooLarge)
			}
		}
	}
	return nil
}

func checkEvent(e *source.Event) error {
	if p := e.Tuple.Proto; p != source.TCP && p != source.UDP || e.Kind > source.AddressRefused {
		return fmt.Errorf("an event %d of %v: neither TCP nor UDP, or unknown", e.Kind, p)
	}
	return nil
}

// checkTime tells whether RFC 3339 has the time in every zone: years 0000 to
// 9999.
func checkTime(t time.Time) error {
	const day = 24 * time.Hour
	if t.Add(-day).UTC().Year() < 0 || t.Add(day).UTC().Year() > 9999 {
		return fmt.Errorf("a time in the year %d", t.Year())
	}
	return nil
}
