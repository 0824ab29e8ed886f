package recording

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"ephtop/source"
)

// Reader reads a recording moment by moment. It is not safe for concurrent
// use.
type Reader struct {
	header Header
	input  *input
	zstd   *zstd.Decoder
	packed *bufio.Reader // what zstd reads
	lines  *bufio.Reader // what it makes of it

	text    []byte // the lines of the next moment
	size    int    // of them
	ends    []int  // of its lines
	tail    int64  // bytes of all lines since reading began
	skim    bool   // only the beginning of text is wanted
	pending bool   // text holds a moment that was not read yet, stamp its beginning
	stamp   stamp
	second  stamp // the moment with which a second began
	moment  *moment
	begun   bool // moment holds one
	first   bool // reading began with the header
	err     error
}

// input remembers the error of the reader behind, to tell it from zstd's, and
// how much it gave.
type input struct {
	r   io.Reader
	n   int64
	err error
}

// Read reads on.
func (in *input) Read(p []byte) (int, error) {
	n, err := in.r.Read(p)
	in.n += int64(n)
	if err != nil && err != io.EOF {
		in.err = err
	}
	return n, err
}

// Open reads the header of a recording. It gives ErrNotRecording, ErrVersion,
// or ErrEmpty if the recording was cut within its header. A moment is read as
// soon as r gives it, but r is read ahead.
func Open(r io.Reader) (*Reader, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow))
	if err != nil {
		return nil, fmt.Errorf("prepare zstd: %w", err)
	}
	rd := &Reader{zstd: dec, packed: bufio.NewReaderSize(nil, 16<<10), lines: bufio.NewReaderSize(nil, 64<<10)}
	if err := rd.restart(r); err != nil {
		return nil, err
	}
	if err := rd.readHeader(); err != nil {
		rd.Close()
		return nil, err
	}
	rd.moment = newMoment(rd.header.Start)
	return rd, nil
}

// restart reads on from another place, where a zstd frame must begin.
func (r *Reader) restart(from io.Reader) error {
	r.input = &input{r: from}
	r.err, r.pending, r.begun, r.first, r.tail, r.skim = nil, false, false, false, 0, false
	r.packed.Reset(r.input)
	if err := r.zstd.Reset(r.packed); err != nil {
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
	r.text, r.size, r.first = r.text[:0], 0, true
	err := r.readLine(func([]byte) error {
		if r.size > maxHeader {
			return errors.New("a header too long")
		}
		return nil
	})
	switch {
	case r.input.err != nil:
		return fmt.Errorf("read the recording: %w", r.input.err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return ErrEmpty
	case err != nil:
		return ErrNotRecording
	}
	return r.parseHeader()
}

func (r *Reader) parseHeader() error {
	var format struct {
		Recording string `json:"recording"`
		Version   int    `json:"version"`
		Start     any    `json:"start"`
	}
	if err := json.Unmarshal(r.text, &format); err != nil || format.Recording != formatName || format.Version < 1 {
		return ErrNotRecording
	}
	if age := format.Version - Version; age < 0 {
		return fmt.Errorf("recorded by an older ephtop (version %d of the format): %w", format.Version, ErrVersion)
	} else if age > 0 {
		return fmt.Errorf("recorded by a later ephtop (version %d of the format): %w", format.Version, ErrVersion)
	}
	if format.Start == nil {
		return fmt.Errorf("%w in its header: no time when it starts", ErrDamaged)
	}
	if err := json.Unmarshal(r.text, &r.header); err != nil {
		return fmt.Errorf("%w in its header: %w", ErrDamaged, err)
	}
	if err := checkTime(r.header.Start); err != nil {
		return fmt.Errorf("%w in its header: %w", ErrDamaged, err)
	}
	r.header.Start = r.header.Start.Local()
	return nil
}

// readLine reads a line behind r.text, and has check look at each part of it. At the end of the input it gives io.EOF, or io.ErrUnexpectedEOF
// within a line or a frame.
func (r *Reader) readLine(check func(part []byte) error) error {
	from := r.size
	for {
		part, err := r.lines.ReadSlice('\n')
		if len(r.text)+len(part) > cap(r.text) {
			r.text = slices.Grow(r.text, len(r.text)+len(part))
		}
		if !r.skim || len(r.text) == 0 {
			r.text = append(r.text, part...)
		}
		r.size += len(part)
		r.tail += int64(len(part))
		if wrong := check(part); wrong != nil {
			return wrong
		}
		switch {
		case err == nil:
			return nil
		case err == io.EOF && r.size > from:
			return io.ErrUnexpectedEOF
		case err != bufio.ErrBufferFull:
			return err
		}
	}
}

// Next makes m the next moment. At the end it gives io.EOF, or ErrCut where
// the recording does not say that it is whole, ErrJoined where another follows, ErrEmpty
// where it holds no moment; else errors that wrap ErrDamaged, or those of the reader behind.
func (r *Reader) Next(m *source.Moment) error {
	if err := r.advance(); err != nil {
		return err
	}
	r.moment.fill(m)
	return nil
}

// advance reads the next moment into r.moment.
func (r *Reader) advance() error {
	if _, err := r.peek(); err != nil {
		return err
	}
	r.pending = false
	err := r.moment.read(r.stamp, r.text, r.ends)
	if cap(r.text) > bigText {
		r.text = nil
	}
	if err != nil {
		r.err = damaged(r.stamp.N, err)
		return r.err
	}
	r.begun = true
	return nil
}

// bigText is the length of a text whose memory is not kept for the next one: full
// moments are much longer than others.
const bigText = 1 << 20

// peek reads the lines of the next moment, and gives its time. They are all
// there then.
func (r *Reader) peek() (time.Duration, error) {
	if r.err == nil && !r.pending {
		r.err = r.readLines()
		r.pending = r.err == nil
	}
	return r.stamp.T, r.err
}

// next is the number of the moment that comes next, if that is known.
func (r *Reader) next() int {
	if r.begun {
		return r.moment.n + 1
	}
	return 0
}

func (r *Reader) readLines() error {
	r.text, r.size, r.ends = r.text[:0], 0, r.ends[:0]
	var objects count
	begin := r.taken()
	check := func(part []byte) error {
		if err := objects.add(part); err != nil {
			return err
		}
		return load{r.size, objects.objects, len(r.ends), r.taken() - begin}.check()
	}
	if err := r.readLine(check); err != nil {
		return r.ending(err)
	}
	var err error
	if bytes.HasPrefix(r.text, []byte(head)) {
		return r.joined()
	}
	if r.stamp, err = r.readStamp(); err != nil {
		return damaged(r.next(), err)
	}
	if err := r.checkStamp(); errors.Is(err, io.EOF) {
		return err
	} else if err != nil {
		return damaged(r.next(), err)
	}
	if !r.begun || r.stamp.T >= r.second.T+time.Second {
		r.second = r.stamp
	}
	r.ends = append(r.ends, r.size)
	for range r.stamp.Scopes {
		if err := r.readLine(check); err != nil {
			return r.ending(err)
		}
		r.ends = append(r.ends, r.size)
	}
	return nil
}

// taken is how much zstd has taken since reading began.
func (r *Reader) taken() int { return int(r.input.n) - r.packed.Buffered() }

// readStamp reads the beginning of the moment's first line.
func (r *Reader) readStamp() (stamp, error) {
	if s, ok := plainStamp(r.text); ok {
		return s, nil
	}
	return readStamp(jsontext.NewDecoder(bytes.NewReader(r.text)))
}

// checkStamp tells whether the moment may follow. At the end it gives what over does.
func (r *Reader) checkStamp() error {
	s, next := &r.stamp, r.next()
	switch {
	case s.End && (s.Moments != next || r.first && next == 0):
		return fmt.Errorf("it ends after %d moments", s.Moments)
	case s.End:
		return r.over()
	case s.N < 0:
		return errors.New("a moment without its number")
	case r.begun && s.N != next:
		return fmt.Errorf("moment %d follows", s.N)
	case !r.begun && !s.Full:
		return errors.New("it begins with changes")
	case s.T < 0 || r.begun && s.T < r.moment.t:
		return errors.New("no time, or the time goes back")
	case r.begun && s.T < r.second.T+time.Second && s.N-r.second.N > maxRate:
		return fmt.Errorf("more than %d moments in a second", maxRate)
	case s.Scopes < 0 || s.Scopes > maxScopes:
		return fmt.Errorf("%d namespaces", s.Scopes)
	}
	return checkTime(r.header.Start.Add(s.T))
}

// over is the end that the recording says itself: io.EOF, or ErrJoined. The index is nothing
// to zstd, and what else follows is no recording.
func (r *Reader) over() error {
	if r.heads() {
		return ErrJoined
	}
	return io.EOF
}

// ending makes an error of one that ended reading.
func (r *Reader) ending(err error) error {
	switch {
	case r.input.err != nil:
		return fmt.Errorf("read the recording: %w", r.input.err)
	case r.another(err):
		return r.joined()
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return damaged(r.next(), err)
	case r.first && !r.begun:
		return ErrEmpty
	}
	return ErrCut
}

// joined is the end where another recording begins.
func (r *Reader) joined() error {
	if r.first && !r.begun {
		return ErrEmpty
	}
	return ErrJoined
}

// another reports whether err is that of reading on behind the cut of a recording, where
// another begins: the first three bytes of its frame are taken for a block that is too
// large, and the fourth is next.
func (r *Reader) another(err error) bool {
	if !errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return false
	}
	next, _ := r.packed.Peek(1)
	return len(next) == 1 && next[0] == frameMagic>>24
}

// step passes over the moment that peek saw, of which only the time is wanted.
// No moment can be read before the next restart.
func (r *Reader) step() {
	r.pending = false
	r.moment.n, r.moment.t, r.begun = r.stamp.N, r.stamp.T, true
}

// head is what every recording begins with.
const head = `{"recording":`

// heads reports whether a recording begins here.
func (r *Reader) heads() bool {
	text, _ := r.lines.Peek(len(head))
	return string(text) == head
}

// glance tells whether a full moment begins here, and when it was, without
// reading all of it. No moment can be read before the next restart.
func (r *Reader) glance() (time.Duration, bool) {
	s, err := readStamp(jsontext.NewDecoder(io.LimitReader(r.lines, longestStamp)))
	return s.T, err == nil && s.Full && s.T >= 0
}
