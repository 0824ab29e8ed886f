package recording

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Version is the version of the format that this package writes, and the
// highest that it reads.
const Version = 1

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
	maxLine      = 128 << 20 // bytes of a moment
	maxHeader    = 64 << 10  // bytes of the header
	maxString    = 128 << 10 // bytes of a text; longer ones are cut
	maxTexts     = 64 << 20  // bytes of all texts of the processes
	maxSockets   = 1 << 20
	maxProcesses = 1 << 20
	maxEvents    = 1 << 20
	maxDegraded  = 1 << 10
	maxReserved  = 1 << 16
	maxDepth     = 32
	maxPoints    = 1 << 20 // places from which reading can begin
)

// Errors of reading. Each says in one line what a person needs to know.
var (
	// ErrNotRecording says that the input is something else.
	ErrNotRecording = errors.New("this is not a recording of ephtop")
	// ErrVersion says that the recording is of a later version of ephtop.
	ErrVersion = errors.New("the recording is of a later version of ephtop")
	// ErrDamaged says that what should be a recording breaks its format.
	ErrDamaged = errors.New("the recording is damaged")
	// ErrEmpty says that the recording was cut before the end of its first
	// moment.
	ErrEmpty = errors.New("the recording holds no whole moment")
	// ErrCut comes instead of io.EOF where the recording ends without saying
	// so: every whole moment has been read. errors.Is takes it for io.EOF too.
	ErrCut error = cutError{}
)

// ErrTooLarge says that a snapshot is beyond what a recording can hold.
var ErrTooLarge = errors.New("too large for a recording")

type cutError struct{}

func (cutError) Error() string { return "the recording was cut: this is its last whole moment" }

func (cutError) Is(target error) bool { return target == io.EOF }

// damaged says what is wrong with a moment.
func damaged(moment int, format string, args ...any) error {
	return fmt.Errorf("%w at moment %d: %s", ErrDamaged, moment, fmt.Sprintf(format, args...))
}
