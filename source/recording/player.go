package recording

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"ephtop/source"
)

// Player plays a recording: it is a source of its moments. Each Poll gives the
// next one at once, or, of a recording that comes through a pipe, as soon as it
// is there; how fast to go is up to the caller, who learns from Peek when the
// next one was. At the end, Poll gives io.EOF or, where the recording was cut,
// ErrCut, where another follows, ErrJoined.
//
// Besides Poll, Change and Close, all methods may be called at any time and from any
// goroutine.
type Player struct {
	file   io.ReaderAt // nil for a pipe
	size   int64
	closer io.Closer
	points []point
	live   *feed
	change func(*source.Moment) error // nil for none

	mu       sync.Mutex
	reader   *Reader
	sought   bool // the reader stands on the moment that the next Poll gives
	header   Header
	position time.Time
	first    time.Time
	last     time.Time
	ended    error // how the recording ends, nil if not known yet
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
	if err := p.findPoints(); err != nil {
		p.reader.Close()
		return nil, err
	}
	return p, nil
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

// Change has each moment go through f on its way out of Poll, as through an
// anonymizer: those of Moments do not. It must come before the first Poll. An error
// of f is that of Poll.
func (p *Player) Change(f func(*source.Moment) error) { p.change = f }

// Poll makes m the next moment; see [Player].
func (p *Player) Poll(ctx context.Context, m *source.Moment) error {
	if err := p.poll(ctx, m); err != nil || p.change == nil {
		return err
	}
	return p.change(m)
}

func (p *Player) poll(ctx context.Context, m *source.Moment) error {
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

// End says how the recording ends, as Poll will: io.EOF, ErrCut, ErrJoined, or an error
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

// Again plays the recording once more, from the first moment on, without a Change. It
// gives ErrLive for a live recording. The caller closes it, before the Player.
func (p *Player) Again() (*Player, error) {
	if p.live != nil {
		return nil, ErrLive
	}
	return NewPlayer(p.file, p.size)
}
