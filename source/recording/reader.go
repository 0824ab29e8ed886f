package recording

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/klauspost/compress/zstd"

	"ephtop/source"
)

// Reader reads a recording moment by moment. It is not safe for concurrent
// use.
type Reader struct {
	header Header
	input  *input
	zstd   *zstd.Decoder
	lines  *bufio.Reader

	line    []byte
	parser  parser
	pending bool // line holds a moment that was not read yet, stamp its beginning
	stamp   stamp
	moment  moment
	begun   bool // moment holds one
	err     error
}

// input remembers the error of the reader behind, to tell it from zstd's.
type input struct {
	r   io.Reader
	err error
}

func (in *input) Read(p []byte) (int, error) {
	n, err := in.r.Read(p)
	if err != nil && err != io.EOF {
		in.err = err
	}
	return n, err
}

// Open reads the header of a recording. It gives ErrNotRecording, ErrVersion,
// or ErrEmpty if the recording was cut within its header. A
// moment is read as soon as r gives it, but r is read ahead.
func Open(r io.Reader) (*Reader, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow))
	if err != nil {
		return nil, fmt.Errorf("prepare zstd: %w", err)
	}
	rd := &Reader{zstd: dec}
	if err := rd.restart(r); err != nil {
		return nil, err
	}
	if err := rd.readHeader(); err != nil {
		rd.Close()
		return nil, err
	}
	rd.moment.start = rd.header.Start
	return rd, nil
}

// restart reads on from another place, where a zstd frame must begin.
func (r *Reader) restart(from io.Reader) error {
	r.input = &input{r: from}
	r.err, r.pending, r.begun = nil, false, false
	if r.lines == nil {
		r.lines = bufio.NewReaderSize(r.zstd, 64<<10)
	}
	if err := r.zstd.Reset(bufio.NewReaderSize(r.input, 16<<10)); err != nil {
		return fmt.Errorf("prepare zstd: %w", err)
	}
	r.lines.Reset(r.zstd)
	return nil
}

// Header gives the first line.
func (r *Reader) Header() Header { return r.header }

// Close frees what the Reader holds. It does not close the reader behind.
func (r *Reader) Close() { r.zstd.Close() }

func (r *Reader) readHeader() error {
	err := r.readLine(maxHeader)
	switch {
	case r.input.err != nil:
		return fmt.Errorf("read the recording: %w", r.input.err)
	case errors.Is(err, io.ErrUnexpectedEOF) && len(r.line) > 0:
		return ErrEmpty
	case err != nil:
		return ErrNotRecording
	}
	return r.parseHeader()
}

func (r *Reader) parseHeader() error {
	h, p := &r.header, &r.parser
	p.reset(r.line)
	format, start := "", ""
	for p.open('{'); p.more('}'); {
		switch string(p.key()) {
		case "recording":
			format = p.string()
		case "version":
			h.Version = int(p.uint(math.MaxInt32))
		case "start":
			start = p.string()
		case "program":
			h.Program = p.string()
		case "anonymized":
			h.Anonymized = p.bool()
		default:
			p.skip()
		}
	}
	p.end()
	if p.err != nil || format != formatName || h.Version < 1 {
		return ErrNotRecording
	}
	if h.Version > Version {
		return fmt.Errorf("%w: it has version %d of the format, and this program reads %d", ErrVersion, h.Version, Version)
	}
	var err error
	if h.Start, err = time.Parse(time.RFC3339Nano, start); err != nil {
		return fmt.Errorf("%w: its header has no time", ErrDamaged)
	}
	h.Start = h.Start.Local()
	return nil
}

// readLine reads a line into r.line. At the end of the input it is io.EOF, or
// io.ErrUnexpectedEOF within a line or a frame.
func (r *Reader) readLine(limit int) error {
	r.line = r.line[:0]
	for {
		part, err := r.lines.ReadSlice('\n')
		if len(r.line)+len(part) > limit {
			return fmt.Errorf("a line of more than %d bytes", limit)
		}
		r.line = append(r.line, part...)
		switch {
		case err == nil:
			return nil
		case err == io.EOF && len(r.line) > 0:
			return io.ErrUnexpectedEOF
		case err != bufio.ErrBufferFull:
			return err
		}
	}
}

// Next makes s the next moment. At the end it gives io.EOF, or ErrCut where the
// recording does not say that it is whole; else errors that wrap ErrDamaged,
// or those of the reader behind.
func (r *Reader) Next(m *source.Moment) error {
	f := flat{Sockets: m.Room, Processes: m.Processes, Events: m.Events}
	err := r.nextFlat(&f)
	f.lift(m)
	return err
}

func (r *Reader) nextFlat(s *flat) error {
	if err := r.advance(); err != nil {
		return err
	}
	r.moment.fill(s)
	return nil
}

// advance reads the next moment into r.moment.
func (r *Reader) advance() error {
	if _, err := r.peek(); err != nil {
		return err
	}
	r.pending = false
	r.moment.begin(r.stamp)
	if err := r.moment.read(&r.parser); err != nil {
		r.err = damaged(r.stamp.n, "%v", err)
		return r.err
	}
	r.begun = true
	return nil
}

// peek reads as much of the next moment as says when it was.
func (r *Reader) peek() (time.Duration, error) {
	if r.err == nil && !r.pending {
		r.err = r.readStamp()
		r.pending = r.err == nil
	}
	return r.stamp.t, r.err
}

func (r *Reader) readStamp() error {
	next := 0
	if r.begun {
		next = r.moment.n + 1
	}
	if err := r.readLine(maxLine); err != nil {
		return r.ending(err, next)
	}
	p := &r.parser
	p.reset(r.line)
	s := stampOf(p)
	switch {
	case p.err != nil:
		return damaged(next, "%v", p.err)
	case s.end && s.n != next:
		return damaged(next, "it ends after %d moments", s.n)
	case s.end:
		return io.EOF
	case r.begun && s.n != next:
		return damaged(next, "moment %d follows", s.n)
	case !r.begun && !s.full:
		return damaged(next, "it begins with changes")
	case s.t < 0 || r.begun && s.t < r.moment.t:
		return damaged(next, "the time goes back")
	}
	r.stamp = s
	return nil
}

// ending makes an error of one that ended reading.
func (r *Reader) ending(err error, moment int) error {
	switch {
	case r.input.err != nil:
		return fmt.Errorf("read the recording: %w", r.input.err)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return ErrCut
	}
	return damaged(moment, "%v", err)
}

// step passes over the moment that peek saw, of which only the time is wanted.
// No moment can be read before the next restart.
func (r *Reader) step() {
	r.pending = false
	r.moment.n, r.moment.t, r.begun = r.stamp.n, r.stamp.t, true
}

// glance tells whether a full moment begins here, and when it was, without
// reading all of it. No moment can be read before the next restart.
func (r *Reader) glance() (time.Duration, bool) {
	b, _ := r.lines.Peek(longestStamp)
	r.parser.reset(b)
	s := stampOf(&r.parser)
	return s.t, r.parser.err == nil && s.full
}

// longestStamp is enough for a stamp as this package writes it.
const longestStamp = 64
