package recording

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// point is a place of a file from which reading can begin: the beginning of the
// recording, or that of a full moment's frame.
type point struct {
	offset int64
	end    int64 // what is behind it is another's
	t      time.Duration
	known  bool // t is, and that it is a full moment
}

// findPoints finds the points and the ends of the recording. It reads the last
// frames, and where there is no index the beginning of each.
func (p *Player) findPoints() error {
	list := readIndex(p.file, p.size)
	indexed := list != nil
	if !indexed {
		var err error
		if list, err = frames(p.file, p.size); err != nil {
			return err
		}
	}
	p.points = []point{{known: true}}
	for i, at := range list {
		end := p.size
		if i+1 < len(list) {
			end = list[i+1]
		}
		if at > 0 {
			p.points = append(p.points, point{offset: at, end: end})
		}
	}
	if !indexed {
		if err := p.glanceAll(); err != nil {
			return err
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

// glanceAll looks at all points, and keeps those that are and rise, up to where another
// recording begins.
func (p *Player) glanceAll() error {
	kept := p.points[:1]
	for _, next := range p.points[1:] {
		ok, err := p.glance(&next)
		if errors.Is(err, ErrJoined) {
			break
		}
		if err != nil {
			return err
		}
		if ok && next.t >= kept[len(kept)-1].t {
			kept = append(kept, next)
		}
	}
	p.points = kept
	return nil
}

// glance looks at the beginning of one frame, and tells whether it is a point:
// what is no full moment is none, as another's frame. The reader has to be restarted
// then. Of the header of another recording it makes ErrJoined.
func (p *Player) glance(at *point) (bool, error) {
	if at.known {
		return true, nil
	}
	if err := p.reader.restart(io.NewSectionReader(p.file, at.offset, at.end-at.offset)); err != nil {
		return false, err
	}
	if p.reader.heads() {
		return false, ErrJoined
	}
	at.t, at.known = p.reader.glance()
	if err := p.reader.input.err; err != nil {
		return false, fmt.Errorf("look for the moments: %w", err)
	}
	return at.known, nil
}

// look glances at a point, and forgets it where it is none.
func (p *Player) look(i int) (bool, error) {
	ok, err := p.glance(&p.points[i])
	if errors.Is(err, ErrJoined) {
		err = nil
	}
	if err == nil && !ok {
		p.points = slices.Delete(p.points, i, i+1)
	}
	return ok, err
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
	for i, tries := len(p.points)-1, 0; i >= 0 && tries < maxTries; i-- {
		if ok, err := p.look(i); err != nil {
			return err
		} else if !ok {
			continue
		}
		tries++
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
	n, err := p.before(target)
	if err != nil {
		p.sought = false
		return err
	}
	from := p.points[n]
	r := p.reader
	if r.begun && r.moment.t <= target && r.moment.t >= from.t && (r.err == nil || errors.Is(r.err, io.EOF)) {
		return nil
	}
	p.sought = false
	return p.restart(from.offset)
}

// before finds the last point that is not after the moment that is sought, or
// the first of all.
func (p *Player) before(target time.Duration) (int, error) {
	low, high := 0, len(p.points)
	for high-low > 1 {
		middle := (low + high) / 2
		switch ok, err := p.look(middle); {
		case err != nil:
			return 0, err
		case !ok:
			high--
		case p.points[middle].t > target:
			high = middle
		default:
			low = middle
		}
	}
	return low, nil
}
