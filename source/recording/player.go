package recording

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"
	"time"

	"ephtop/source"
)

// Player plays a recording: it is a source of its moments. Each Poll gives the
// next one at once, or, of a recording that comes through a pipe, as soon as it
// is there; how fast to go is up to the caller, who learns from Peek when the
// next one was. At the end, Poll gives io.EOF or, where the recording was cut,
// ErrCut.
//
// Besides Poll and Close, all methods may be called at any time and from any
// goroutine.
type Player struct {
	file   io.ReaderAt // nil for a pipe
	size   int64
	closer io.Closer
	points []point
	live   *feed

	mu       sync.Mutex
	reader   *Reader
	sought   bool // the reader stands on the moment that the next Poll gives
	header   Header
	position time.Time
	first    time.Time
	last     time.Time
	ended    error // how the recording ends, nil if not known yet
}

// point is a place of a file from which reading can begin: the beginning of the
// recording, or that of a full moment's frame.
type point struct {
	offset int64
	t      time.Duration
}

// OpenFile plays a file; "-" is the standard input. What is no regular file is
// played as it comes, without Seek.
func OpenFile(path string) (*Player, error) {
	if path == "-" {
		return NewLive(os.Stdin)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	var p *Player
	if info.Mode().IsRegular() {
		p, err = NewPlayer(f, info.Size())
	} else {
		p, err = NewLive(f)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	p.closer = f
	return p, nil
}

// NewPlayer plays a recording of which any part can be read.
func NewPlayer(file io.ReaderAt, size int64) (*Player, error) {
	p := &Player{file: file, size: size}
	var err error
	if p.reader, err = Open(io.NewSectionReader(file, 0, size)); err != nil {
		return nil, err
	}
	p.header = p.reader.Header()
	p.first = p.header.Start
	if err := p.index(); err != nil {
		p.reader.Close()
		return nil, err
	}
	return p, nil
}

// index finds the points and the ends of the recording. It reads the beginning
// of each frame, and the last frames.
func (p *Player) index() error {
	starts, err := frames(p.file, p.size)
	if err != nil {
		return err
	}
	p.points = []point{{}}
	for i, at := range starts {
		next := p.size
		if i+1 < len(starts) {
			next = starts[i+1]
		}
		// What is no full moment is skipped: the header, or another's frame.
		t, ok, err := p.glance(at, next)
		if err != nil {
			return err
		}
		if ok && at > 0 && t >= p.points[len(p.points)-1].t {
			p.points = append(p.points, point{at, t})
		}
	}
	if err := p.findEnd(); err != nil {
		return err
	}
	if err := p.restart(0); err != nil {
		return err
	}
	if len(p.points) == 1 && !errors.Is(p.ended, ErrEmpty) {
		return nil // the beginning was looked at for the end
	}
	t, err := p.reader.peek()
	if errors.Is(err, ErrEmpty) {
		return err
	}
	p.first = p.header.Start.Add(max(0, t))
	return nil
}

// glance looks at the beginning of one frame.
func (p *Player) glance(at, next int64) (time.Duration, bool, error) {
	if err := p.reader.restart(io.NewSectionReader(p.file, at, next-at)); err != nil {
		return 0, false, err
	}
	t, ok := p.reader.glance()
	if err := p.reader.input.err; err != nil {
		return 0, false, fmt.Errorf("look for the moments: %w", err)
	}
	return t, ok, nil
}

// restart has the reader go on at a point. That at the beginning is behind the
// header.
func (p *Player) restart(offset int64) error {
	if err := p.reader.restart(io.NewSectionReader(p.file, offset, p.size-offset)); err != nil || offset > 0 {
		return err
	}
	return p.reader.readHeader()
}

// findEnd finds out how the recording ends and when its last moment was. Where
// it is cut inside a full moment, that is behind the point before; where it is
// damaged there too, the last moment is not looked for much further.
func (p *Player) findEnd() error {
	for i := len(p.points) - 1; i >= 0 && i >= len(p.points)-maxTries; i-- {
		p.last = p.header.Start.Add(p.points[i].t)
		found, err := p.readEnd(p.points[i].offset)
		if found || err != nil {
			return err
		}
	}
	return nil
}

// readEnd reads on to the end from an offset, and tells whether there was a
// moment. An error is that of the file.
func (p *Player) readEnd(offset int64) (found bool, err error) {
	if err := p.restart(offset); err != nil {
		return false, err
	}
	p.reader.skim = true
	for {
		t, err := p.reader.peek()
		if err != nil {
			p.ended = err
			return found, p.reader.input.err
		}
		p.last = p.header.Start.Add(t)
		if offset == 0 && !found {
			p.first = p.last
		}
		found = true
		p.reader.step()
		if r := p.reader; r.tail > maxTail+tailPerByte*r.input.n {
			p.ended = damaged(r.next(), fmt.Errorf("more than %d bytes without a place to begin from", r.tail))
			return found, nil
		}
	}
}

// NewLive plays a recording as it comes, as from a pipe. It waits for the
// header. A moment is read ahead of the poll that asks for it.
func NewLive(r io.Reader) (*Player, error) {
	reader, err := Open(r)
	if err != nil {
		return nil, err
	}
	p := &Player{header: reader.Header(), live: newFeed(reader)}
	p.closer, _ = r.(io.Closer)
	p.first, p.last = p.header.Start, p.header.Start
	return p, nil
}

// Poll makes m the next moment; see [Player].
func (p *Player) Poll(ctx context.Context, m *source.Moment) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var err error
	if p.live != nil {
		err = p.live.next(ctx, m)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live == nil {
		err = p.next(m)
	}
	switch {
	case err == nil:
		p.position = m.Time
		if p.live != nil {
			p.last = m.Time
		}
	case p.live != nil && ctx.Err() == nil:
		p.ended = err
	}
	return err
}

// next reads the next moment of a file.
func (p *Player) next(m *source.Moment) error {
	if !p.sought {
		return p.reader.Next(m)
	}
	p.sought = false
	p.reader.moment.fill(m)
	return nil
}

// Close closes the recording. Of a pipe it does not wait for a read that is
// under way, which closing may not end.
func (p *Player) Close() error {
	if p.live != nil {
		p.live.stop()
	} else {
		p.reader.Close()
	}
	if p.closer == nil {
		return nil
	}
	return p.closer.Close()
}

// Header gives the first line of the recording.
func (p *Player) Header() Header { return p.header }

// Live says that the recording comes through a pipe: it can't be sought, and
// its end is where it has come to.
func (p *Player) Live() bool { return p.live != nil }

// Span gives the times of the first and the last moment. The last one of a
// live recording is the latest that was polled.
func (p *Player) Span() (first, last time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.first, p.last
}

// End says how the recording ends, as Poll will: io.EOF, ErrCut, or an error
// that wraps ErrDamaged. It is nil while that is not known, as of a live
// recording. Damage before the last full moment is found by Poll only.
func (p *Player) End() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// Peek gives the time of the moment that the next Poll gives; false at the end
// and for a live recording, of which that is not known.
func (p *Player) Peek() (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live != nil {
		return time.Time{}, false
	}
	if p.sought {
		return p.position, true
	}
	t, err := p.reader.peek()
	return p.header.Start.Add(t), err == nil
}

// ErrLive is the error of seeking in a recording that comes through a pipe.
var ErrLive = errors.New("a recording that comes through a pipe can't be sought")

// Seek has the next Poll give the last moment that is not after t, or the first
// of all. It reads at most the moments since the last full one before (at most
// FullEvery). After an error of reading, Poll gives that error.
func (p *Player) Seek(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live != nil {
		return ErrLive
	}
	target := t.Sub(p.header.Start)
	if err := p.approach(target); err != nil {
		return err
	}
	for {
		next, err := p.reader.peek()
		if p.reader.begun && (errors.Is(err, io.EOF) || err == nil && next > target) {
			break
		}
		if err != nil {
			return err
		}
		if err := p.reader.advance(); err != nil {
			return err
		}
	}
	p.sought = true
	p.position = p.header.Start.Add(p.reader.moment.t)
	return nil
}

// approach has the reader stand at or before the moment that is sought: where
// it is, if there is no point between, else at a point.
func (p *Player) approach(target time.Duration) error {
	n := sort.Search(len(p.points), func(i int) bool { return p.points[i].t > target })
	from := p.points[max(n-1, 0)]
	r := p.reader
	if r.begun && r.moment.t <= target && r.moment.t >= from.t && (r.err == nil || errors.Is(r.err, io.EOF)) {
		return nil
	}
	p.sought = false
	return p.restart(from.offset)
}

// Moments gives a reader of all moments from the first one on, which goes its
// own way: so what happens in a recording can be found while it is played.
// It gives ErrLive for a live recording. The caller closes it, before the
// Player.
func (p *Player) Moments() (*Reader, error) {
	if p.live != nil {
		return nil, ErrLive
	}
	return Open(io.NewSectionReader(p.file, 0, p.size))
}
