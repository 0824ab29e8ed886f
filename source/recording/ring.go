package recording

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"sort"
	"time"

	"ephtop/source"
)

// ringWindow is the window of a Ring: a larger one would take more memory than
// it saves.
const ringWindow = 1 << 19

// Ring is a recording in memory that drops its beginning. It is not safe for
// concurrent use.
type Ring struct {
	writer *Writer
	length time.Duration
	most   int
	within int // see Within

	header   []byte
	segments []segment
	size     int // of the segments
	lastFull int // size of the last full moment
	saved    saved
}

// saved is what a Ring is saved to, if anything.
type saved struct {
	w   io.Writer
	err error // the first one
}

// Write writes to where the Ring is saved. The Ring goes on where that fails.
func (s *saved) Write(b []byte) (int, error) {
	if s.w != nil && s.err == nil {
		_, s.err = s.w.Write(b)
	}
	return len(b), nil
}

// segment is a full moment, and those that go on from there.
type segment struct {
	from  time.Duration
	parts [][]byte // a buffer that grows would leave garbage as large as itself
	size  int
}

// NewRing makes a Ring that holds the moments of a length of time, and of up to
// FullEvery moments more; less where these take more than most bytes.
func NewRing(length time.Duration, most int) (*Ring, error) {
	r := &Ring{length: length, most: most, within: most}
	w, err := newWriter(&r.saved, Header{}, ringWindow)
	if err != nil {
		return nil, err
	}
	w.index.lost = true // for the frames that it lists are dropped
	r.writer = w
	return r, nil
}

// Within has the Ring hold so many bytes, or fewer, from the next moment on. Three
// full moments it holds if its own most allows it, so that it always reaches back.
func (r *Ring) Within(most int) { r.within = most }

// bound is how many bytes it holds for now.
func (r *Ring) bound() int { return min(r.most, max(r.within, 3*r.lastFull)) }

// Write writes a moment as [Writer.Write] does. One that takes half of the
// Ring is too large for it: that is ErrTooLarge as well.
func (r *Ring) Write(m *source.Moment) error {
	w := r.writer
	if w.take(m.Source); w.full() {
		w.packed.Grow(r.lastFull + r.lastFull/slack)
	}
	if err := w.Write(m); err != nil {
		return err
	}
	b := w.packed.Bytes()
	if at := w.frame; at < 0 {
		r.append(slices.Clone(b))
	} else {
		// Before the frame stands the end of the one before, or the header.
		before := slices.Clone(b[:at])
		if r.header == nil {
			r.header = before
		} else {
			r.append(before)
		}
		r.segments = append(r.segments, segment{from: w.now})
		if cap(b)-len(b) > len(b)/slack {
			b = slices.Clone(b)
		}
		r.append(b[at:])
		w.packed = bytes.Buffer{} // full moments are much longer than others
		if r.lastFull = len(b); r.lastFull > r.most/2 {
			w.err = ErrTooLarge
			return w.err
		}
	}
	most := r.bound()
	if r.segments[len(r.segments)-1].size > most/2 {
		w.nextFull = w.moments
	}
	for len(r.segments) > 1 && (r.size > most || w.now-r.segments[1].from >= r.length) {
		r.size -= r.segments[0].size
		r.segments = slices.Delete(r.segments, 0, 1)
	}
	return nil
}

// Note is [Writer.Note], and Noted is [Writer.Noted].
func (r *Ring) Note(events []source.Event) error { return r.writer.Note(events) }

// Noted is the number of events that wait for a moment.
func (r *Ring) Noted() int { return r.writer.Noted() }

// slack is the part of a full moment's memory that may be empty.
const slack = 8

// append appends to the last segment.
func (r *Ring) append(b []byte) {
	last := &r.segments[len(r.segments)-1]
	last.parts = append(last.parts, b)
	last.size += len(b)
	r.size += len(b)
}

// First is the time of the first moment that the Ring holds, which must hold one.
func (r *Ring) First() time.Time { return r.writer.header.Start.Add(r.segments[0].from) }

// Copy gives what the Ring holds now, for [NewPlayer], and its size: whatever is
// written later. It shares memory with the Ring, and may outlive it.
func (r *Ring) Copy() (io.ReaderAt, int64) {
	parts := [][]byte{r.header}
	for _, s := range r.segments {
		parts = append(parts, s.parts...)
	}
	return newJoined(parts)
}

// SaveTo has each moment that is written from now on written to w as well, until
// [Ring.EndSave]: behind what [Ring.Copy] gives at this time, it makes a recording.
// A Ring, which must hold a moment, is saved to one place at a time.
func (r *Ring) SaveTo(w io.Writer) { r.saved = saved{w: w} }

// SaveErr returns the first error of what the Ring is saved to, which gets nothing
// more after it.
func (r *Ring) SaveErr() error { return r.saved.err }

// EndSave says in what the Ring was saved to that it is whole.
func (r *Ring) EndSave() error {
	w := r.writer
	if w.err == nil {
		if err := r.endFrame(); err != nil {
			return err
		}
		r.saved.Write(w.zstd.EncodeAll(w.endLine(), nil))
	}
	err := r.saved.err
	r.saved = saved{}
	return err
}

// endFrame ends the frame, in the Ring as in what it is saved to. The next moment
// stands alone.
func (r *Ring) endFrame() error {
	w := r.writer
	w.packed.Reset()
	if err := w.closeFrame(); err != nil {
		return fmt.Errorf("end the recording: %w", err)
	}
	w.nextFull = w.moments
	r.append(slices.Clone(w.packed.Bytes()))
	r.saved.Write(w.packed.Bytes())
	return nil
}

// joined are several slices of bytes as one.
type joined struct {
	parts [][]byte
	ends  []int64
}

func newJoined(parts [][]byte) (*joined, int64) {
	j, size := &joined{parts: parts}, int64(0)
	for _, p := range parts {
		size += int64(len(p))
		j.ends = append(j.ends, size)
	}
	return j, size
}

// ReadAt reads from an offset.
func (j *joined) ReadAt(b []byte, at int64) (n int, err error) {
	for i := sort.Search(len(j.ends), func(i int) bool { return j.ends[i] > at }); i < len(j.parts) && n < len(b); i++ {
		begin := j.ends[i] - int64(len(j.parts[i]))
		n += copy(b[n:], j.parts[i][at+int64(n)-begin:])
	}
	if n < len(b) {
		err = io.EOF
	}
	return n, err
}
