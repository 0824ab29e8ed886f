package recording

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"

	"ephtop/source"
)

// Header is the first line of a recording.
type Header struct {
	// Version is the version of the format. A Writer always writes its own.
	Version int `json:"version"`
	// Start is when the first moment began. A Writer takes it from the first
	// moment.
	Start time.Time `json:"start"`
	// Program wrote the recording, as "ephtop 1.0.0".
	Program string `json:"program,omitzero"`
	// Anonymized says that who and where are nobody's: stand-ins have replaced them,
	// or the host was a simulated one.
	Anonymized bool `json:"anonymized,omitzero"`
}

// formatName stands first in the header.
const formatName = "ephtop"

// Writer writes a recording. It is not safe for concurrent use.
type Writer struct {
	w      io.Writer
	header Header
	zstd   *zstd.Encoder
	packed bytes.Buffer // what zstd made of a moment
	frame  int          // where in packed a frame begins, -1 where none does
	open   bool         // a frame has begun and not ended
	index  index

	moment, snapshot, scope, socket, moving, process *object
	event                                            appender
	notes                                            notes

	b        []byte // what is not packed yet of the lines of a moment
	size     int    // of what is
	objects  count  // of them
	moments  int
	nextFull int           // number of the next moment that stands alone
	source   string        // of the moment before
	now      time.Duration // since the header's start
	second   stamp         // the moment with which a second began
	head     values        // of the moment before
	known    processes
	scopes   map[scopeKey]*stream
	err      error // the first one

	blocked, freed ports // memory of appendChanges
	row, was       row   // of appendChanged and appendFresh
	base, moved    values
}

// stream is what was written of one namespace.
type stream struct {
	scope   source.Scope
	head    values
	sockets sockets
	blocked []uint16
	vrfs    []source.VRF
	moment  int // the last one that had it
}

// scopeKey is what makes two scopes the same, unless their cookies contradict
// (source.Scope.Same).
type scopeKey struct {
	host  string
	netns uint64
}

func keyOf(s *source.Scope) scopeKey { return scopeKey{s.Host, s.Netns} }

// NewWriter makes a Writer that writes to w. Nothing is written before the
// first moment: header and moment go together. Each moment is one Write to w.
func NewWriter(w io.Writer, h Header) (*Writer, error) { return newWriter(w, h, maxWindow/2) }

// newWriter makes a Writer with a window of zstd, of which it holds as much.
func newWriter(w io.Writer, h Header, window int) (*Writer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(window))
	if err != nil {
		return nil, fmt.Errorf("prepare zstd: %w", err)
	}
	h.Version = Version
	wr := &Writer{w: w, header: h, zstd: enc, scopes: make(map[scopeKey]*stream)}
	start := &wr.header.Start
	wr.moment = newObject(reflect.TypeFor[source.Moment](), start)
	wr.snapshot = newObject(reflect.TypeFor[source.Snapshot](), start)
	wr.scope = newObject(reflect.TypeFor[source.Scope](), start)
	wr.socket = newObject(reflect.TypeFor[row](), start)
	wr.moving = wr.socket.only(moving[:])
	wr.process = newObject(reflect.TypeFor[entry](), start)
	wr.event = appenderOf(reflect.TypeFor[source.Event](), start)
	return wr, nil
}

// Write writes a moment, and changes nothing of it. What a reader gets differs
// in this: the order of sockets and processes, timers that tick evenly
// (TimerTolerance), a time that does not go back or stand still for long, texts that were no valid
// UTF-8 or too long, and the sockets of many namespaces that are too many.
//
// After an error, which stays, no more is written: what is out already is a
// recording that was cut. A moment that a recording can't hold gives an error
// that wraps ErrTooLarge.
func (w *Writer) Write(m *source.Moment) error {
	if w.err == nil {
		if w.err = w.write(m); w.err != nil {
			w.zstd.Reset(nil)
		}
	}
	return w.err
}

func (w *Writer) write(m *source.Moment) error {
	if err := checkMoment(m); err != nil {
		return fmt.Errorf("record a moment: %w", err)
	}
	m = w.fit(m)
	w.take(m.Source)
	w.packed.Reset()
	if w.moments == 0 {
		if err := w.begin(m.Time); err != nil {
			return err
		}
	}
	w.tell(m.Time.Sub(w.header.Start))
	if err := checkTime(w.header.Start.Add(w.now)); err != nil {
		return fmt.Errorf("record a moment: %w", err)
	}
	if err := w.beginFrame(); err != nil {
		return fmt.Errorf("compress a moment: %w", err)
	}
	if err := w.appendMoment(m); err != nil {
		return fmt.Errorf("record a moment: %w", err)
	}
	if err := w.zstd.Flush(); err != nil {
		return fmt.Errorf("compress a moment: %w", err)
	}
	if err := w.checkLoad(m); err != nil {
		return fmt.Errorf("record a moment: %w: %w", err, ErrTooLarge)
	}
	w.index.add(w.packed.Len()-max(0, w.frame), w.size)
	if _, err := w.w.Write(w.packed.Bytes()); err != nil {
		return fmt.Errorf("write a moment: %w", err)
	}
	if w.full() {
		w.nextFull += FullEvery
	}
	w.moments++
	return nil
}

// tell has now be a time, or later: it does not go back, nor stand still for
// more moments than readers take. These may begin to count within a second.
func (w *Writer) tell(now time.Duration) {
	w.now = max(w.now, now)
	next := w.second.T + time.Second
	if w.moments-w.second.N >= maxRate/2 {
		w.now = max(w.now, next)
	}
	if w.now >= next {
		w.second = stamp{N: w.moments, T: w.now}
	}
}

// begin packs the header.
func (w *Writer) begin(start time.Time) error {
	w.header.Start = start
	h := struct {
		Recording string `json:"recording"`
		Header
	}{formatName, w.header}
	h.Start, h.Program = start.UTC(), clean(h.Program)
	line, err := json.Marshal(&h)
	if err != nil {
		return fmt.Errorf("begin the recording: %w", err)
	}
	w.packed.Write(w.zstd.EncodeAll(append(line, '\n'), nil))
	w.index.begin()
	w.index.add(w.packed.Len(), len(line)+1)
	return nil
}

// checkMoment tells whether readers would accept the moment.
func checkMoment(m *source.Moment) error {
	for _, n := range [...]struct {
		is, most int
		of       string
	}{
		{len(m.Processes), maxProcesses, "processes"}, {len(m.Events), maxEvents, "events"},
		{len(m.Snapshots), maxScopes, "namespaces"},
	} {
		if n.is > n.most {
			return fmt.Errorf("%d %s: %w", n.is, n.of, ErrTooLarge)
		}
	}
	blocked := 0
	for i := range m.Snapshots {
		if err := m.Snapshots[i].Settings.Validate(); err != nil {
			return fmt.Errorf("settings: %w", err)
		}
		if err := checkRest(&m.Snapshots[i]); err != nil {
			return err
		}
		if err := checkBlocked(&m.Snapshots[i], &blocked); err != nil {
			return err
		}
		for j := range m.Snapshots[i].Sockets {
			if err := checkSocket(&m.Snapshots[i].Sockets[j]); err != nil {
				return err
			}
		}
	}
	for i := range m.Events {
		if err := checkEvent(&m.Events[i]); err != nil {
			return err
		}
	}
	if err := checkNATs(m.NATs); err != nil {
		return err
	}
	return checkTime(m.Time)
}

// take has the next moment stand alone if it is from another source than the one before:
// as these know different things, nearly every row would differ, and to tell all that is
// different takes twice as long as to tell all.
func (w *Writer) take(source string) {
	if source != w.source {
		w.source, w.nextFull = source, w.moments
	}
}

// full tells whether the next moment stands alone.
func (w *Writer) full() bool { return w.moments == w.nextFull }

// appendMoment makes the lines of a moment.
func (w *Writer) appendMoment(m *source.Moment) error {
	if w.full() {
		w.head = w.moment.values(w.head, reflect.ValueOf(new(source.Moment)).Elem())
		w.known.reset()
	}
	w.known.match(m.Processes)
	if n := textBytes(w.known.entries); n > maxTexts || len(w.known.entries) > maxProcesses {
		return fmt.Errorf("%d bytes of names and command lines: %w", n, ErrTooLarge)
	}
	b := append(w.b[:0], `{"n":`...)
	b = strconv.AppendInt(b, int64(w.moments), 10)
	b = append(b, `,"t":`...)
	b = appendSeconds(b, w.now)
	if w.full() {
		b = append(b, `,"full":true`...)
	}
	b = append(b, `,"scopes":`...)
	b = strconv.AppendInt(b, int64(len(m.Snapshots)), 10)
	w.b = w.moment.fold(b, w.head, reflect.ValueOf(m).Elem(), true)
	if err := w.appendProcesses(); err != nil {
		return err
	}
	if err := w.appendEvents(m.Events); err != nil {
		return err
	}
	w.b = append(w.b, "}\n"...)
	if err := w.pack(); err != nil {
		return err
	}
	return w.appendSnapshots(m)
}

func (w *Writer) appendProcesses() error {
	w.b = appendIDs(w.b, "ended", w.known.ended)
	var base values
	return w.appendList("processes", len(w.known.changed), func(b []byte, i int) []byte {
		c := &w.known.changed[i]
		base = w.process.values(base, reflect.ValueOf(&entry{Process: c.was}).Elem())
		return append(w.process.append(append(b, '{'), base, reflect.ValueOf(&w.known.entries[c.index]).Elem()), '}')
	})
}

func (w *Writer) appendEvents(events []source.Event) error {
	if w.notes.events == 0 {
		return w.appendList("events", len(events), func(b []byte, i int) []byte {
			return w.event(b, reflect.ValueOf(&events[i]).Elem())
		})
	}
	if err := w.note(events); err != nil {
		return err
	}
	if n := w.notes.events; n > maxEvents {
		return fmt.Errorf("%d events: %w", n, ErrTooLarge)
	}
	return w.appendNotes()
}

func (w *Writer) appendSnapshots(m *source.Moment) error {
	rows := 0
	for i := range m.Snapshots {
		s := &m.Snapshots[i]
		st := w.scopes[keyOf(&s.Scope)]
		if st == nil {
			st = &stream{moment: -1}
			w.scopes[keyOf(&s.Scope)] = st
		}
		if st.moment == w.moments {
			return fmt.Errorf("namespace %d of host %q is there twice", s.Scope.Netns, s.Scope.Host)
		}
		if st.moment < 0 || w.full() || !st.scope.Same(&s.Scope) {
			st.head = w.snapshot.values(st.head, reflect.ValueOf(new(source.Snapshot)).Elem())
			st.sockets.reset(w.now)
			st.blocked, st.vrfs = st.blocked[:0], nil
		}
		st.moment, st.scope = w.moments, s.Scope
		st.sockets.match(s.Sockets)
		if rows += len(st.sockets.rows); rows > maxSockets {
			return fmt.Errorf("%d sockets: %w", rows, ErrTooLarge)
		}
		if err := w.appendSnapshot(s, st); err != nil {
			return err
		}
	}
	for key, st := range w.scopes {
		if st.moment != w.moments {
			delete(w.scopes, key)
		}
	}
	return nil
}

// appendSnapshot makes the line of one namespace, and packs it piece by piece.
func (w *Writer) appendSnapshot(s *source.Snapshot, st *stream) error {
	b := append(w.b, `{"n":`...)
	b = strconv.AppendInt(b, int64(w.moments), 10)
	b = append(b, `,"scope":{`...)
	b = w.scope.append(b, w.scope.zero, reflect.ValueOf(&s.Scope).Elem())
	b = append(b, '}')
	b = w.snapshot.fold(b, st.head, reflect.ValueOf(s).Elem(), true)
	b = w.appendBlocked(b, st, s)
	w.b = appendIDs(b, "gone", st.sockets.gone)
	if err := w.appendChanged(s, &st.sockets); err != nil {
		return err
	}
	if err := w.appendFresh(s, &st.sockets); err != nil {
		return err
	}
	w.b = append(w.b, "}\n"...)
	return w.pack()
}

// Moments is the number of moments written.
func (w *Writer) Moments() int { return w.moments }

// Close says in the recording that it is whole, adds its index, and frees what the
// Writer holds. It writes nothing if no moment was written, or after an error of
// Write, and does not close the writer behind.
func (w *Writer) Close() error {
	if w.err != nil || w.moments == 0 {
		return nil
	}
	w.err = errClosed
	w.packed.Reset()
	n, err := w.zstd.Write(w.endLine())
	if err == nil {
		err = w.zstd.Close()
	}
	if err == nil {
		w.index.add(w.packed.Len(), n)
		_, err = w.w.Write(w.index.appendTo(w.packed.Bytes()))
	}
	if err != nil {
		return fmt.Errorf("end the recording: %w", err)
	}
	return nil
}

func (w *Writer) endLine() []byte {
	return fmt.Appendf(nil, "{\"end\":true,\"moments\":%d}\n", w.moments)
}

var errClosed = errors.New("write to a recording that is closed")
