package recording

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"time"
)

// point is a place of a file from which reading can begin: the beginning of the
// recording, or that of a full moment's frame.
type point struct {
	offset int64
	t      time.Duration
}

// findPoints finds the points and the ends of the recording. It reads the beginning
// of each frame, and the last frames.
func (p *Player) findPoints() error {
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
