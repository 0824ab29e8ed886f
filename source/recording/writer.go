package recording

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"

	"ephtop/source"
)

// Header is the first line of a recording.
type Header struct {
	// Version is the version of the format. A Writer always writes its own.
	Version int
	// Start is when the first moment began. A Writer takes it from the first
	// snapshot.
	Start time.Time
	// Program wrote the recording, as "ephtop 1.0.0".
	Program string
	// Anonymized says that an [Anonymizer] has replaced who and where.
	Anonymized bool
}

// Writer writes a recording. It is not safe for concurrent use.
type Writer struct {
	w      io.Writer
	header Header
	zstd   *zstd.Encoder
	packed bytes.Buffer // what zstd made of a moment

	line      fields
	begun     bool
	moments   int
	now       time.Duration // since the header's start
	head      head
	sockets   sockets
	processes processes
	actors    map[source.Process]int
	err       error // the first one
}

// NewWriter makes a Writer that writes to w. Nothing is written before the
// first moment: header and moment go together. Each moment is one Write to w.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(maxWindow/2))
	if err != nil {
		return nil, fmt.Errorf("prepare zstd: %w", err)
	}
	h.Version = Version
	return &Writer{w: w, header: h, zstd: enc}, nil
}

// Write writes a moment, and makes s just what a reader will get: its sockets
// come in the order of the last full moment, then in that in which they were
// first seen, processes in the latter, timers tick evenly (TimerTolerance), and
// the time is that since the first moment, which does not go back. So what is shown of s is what a replay shows.
//
// After an error, which stays, s is undefined and no more is written: what is
// out already is a recording that was cut. A snapshot that a recording can't
// hold gives an error that wraps ErrTooLarge.
func (w *Writer) Write(m *source.Moment) error {
	s := flatten(m)
	if w.err != nil {
		return w.err
	}
	if w.err = w.write(s); w.err != nil {
		w.zstd.Reset(nil)
	}
	return w.err
}

func (w *Writer) write(s *flat) error {
	if err := checkSnapshot(s); err != nil {
		return err
	}
	w.packed.Reset()
	if !w.begun {
		w.header.Start = s.Time
		w.packed.Write(w.zstd.EncodeAll(appendHeader(nil, &w.header), nil))
		w.begun = true
	}
	w.now = max(w.now, s.Time.Sub(w.header.Start))
	w.processes.match(s.Processes)
	if w.processes.bytes > maxTexts {
		return fmt.Errorf("%d bytes of names and command lines: %w", w.processes.bytes, ErrTooLarge)
	}
	w.sockets.match(s.Sockets, w.processes.ids, w.now)
	if w.full() {
		w.sockets.renumber()
	}
	w.appendMoment(s)
	if len(w.line.b) > maxLine {
		return fmt.Errorf("a moment of %d bytes: %w", len(w.line.b), ErrTooLarge)
	}
	if err := w.pack(); err != nil {
		return err
	}
	w.settle(s)
	if err := w.send("write a moment"); err != nil {
		return err
	}
	w.moments++
	return nil
}

// checkSnapshot tells whether readers would accept the snapshot.
func checkSnapshot(s *flat) error {
	switch {
	case len(s.Sockets) > maxSockets:
		return fmt.Errorf("%d sockets: %w", len(s.Sockets), ErrTooLarge)
	case len(s.Processes) > maxProcesses:
		return fmt.Errorf("%d processes: %w", len(s.Processes), ErrTooLarge)
	case len(s.Events) > maxEvents:
		return fmt.Errorf("%d events: %w", len(s.Events), ErrTooLarge)
	case len(s.Degraded) > maxDegraded:
		return fmt.Errorf("%d notes: %w", len(s.Degraded), ErrTooLarge)
	case len(s.Settings.Reserved) > maxReserved:
		return fmt.Errorf("%d reserved ranges: %w", len(s.Settings.Reserved), ErrTooLarge)
	}
	for i := range s.Sockets {
		k := &s.Sockets[i]
		if k.Proto != source.TCP && k.Proto != source.UDP || k.State >= source.NumStates {
			return fmt.Errorf("record a socket of %v in state %d: neither TCP nor UDP", k.Proto, k.State)
		}
	}
	return nil
}

func appendHeader(b []byte, h *Header) []byte {
	f := fields{b: b}
	f.open()
	f.text("recording", "", formatName)
	f.key("version")
	f.b = strconv.AppendInt(f.b, int64(h.Version), 10)
	f.key("start")
	f.b = append(f.b, '"')
	f.b = h.Start.UTC().AppendFormat(f.b, time.RFC3339Nano)
	f.b = append(f.b, '"')
	f.text("program", "", h.Program)
	f.bool("anonymized", false, h.Anonymized)
	f.close()
	return append(f.b, '\n')
}

const formatName = "ephtop"

// full tells whether the next moment stands alone.
func (w *Writer) full() bool { return w.moments%FullEvery == 0 }

// appendMoment makes the line of a moment.
func (w *Writer) appendMoment(s *flat) {
	f := &w.line
	f.b = f.b[:0]
	f.open()
	f.key("n")
	f.b = strconv.AppendInt(f.b, int64(w.moments), 10)
	f.key("t")
	f.b = appendSeconds(f.b, w.now)
	f.bool("full", false, w.full())
	f.seconds("took", 0, s.Took)
	was, is := &w.head, headOf(s)
	if w.full() {
		was = &head{}
	}
	f.head(was, &is)
	if !sameTexts(w.head.degraded, is.degraded) || !sameSettings(&w.head.settings, &is.settings) {
		is = is.clone()
	} else {
		is.degraded, is.settings = w.head.degraded, w.head.settings
	}
	w.head = is
	w.appendProcesses()
	w.appendSockets()
	w.appendEvents(s)
	f.close()
	f.b = append(f.b, '\n')
}

func (w *Writer) appendProcesses() {
	f, t := &w.line, &w.processes
	if w.full() {
		f.list("processes", len(t.entries), func(i int) { f.entry(t.entries[i].id, &source.Process{}, &t.entries[i].process) })
		return
	}
	f.ids("ended", t.ended)
	f.list("processes", len(t.changed), func(i int) { f.entry(t.changed[i].id, &t.changed[i].was, &t.changed[i].is) })
}

func (f *fields) entry(id uint64, was, is *source.Process) {
	f.uint("id", 0, id)
	f.process(was, is)
}

func (w *Writer) appendSockets() {
	f, t := &w.line, &w.sockets
	list := t.sorted
	if !w.full() {
		f.ids("gone", t.gone)
		f.list("changed", len(t.changed), func(i int) {
			c := &t.changed[i]
			f.uint("id", 0, c.was.id)
			f.socket(&c.was, &t.rows[c.index])
		})
		list = list[len(list)-t.fresh:]
	}
	var last uint64
	f.list("sockets", len(list), func(i int) {
		r := &t.rows[list[i]]
		f.uint("id", last+1, r.id)
		last = r.id
		f.socket(&noRow, r)
	})
}

func (w *Writer) appendEvents(s *flat) {
	f := &w.line
	f.uint("lost", 0, uint64(max(0, s.LostEvents)))
	if len(s.Events) == 0 {
		return
	}
	if w.actors == nil {
		w.actors = make(map[source.Process]int)
	}
	clear(w.actors)
	var actors []source.Process
	for i := range s.Events {
		p := clipped(&s.Events[i].Process)
		if _, ok := w.actors[p]; !ok {
			w.actors[p] = len(actors)
			actors = append(actors, p)
		}
	}
	f.list("actors", len(actors), func(i int) { f.process(&source.Process{}, &actors[i]) })
	f.list("events", len(s.Events), func(i int) {
		e := &s.Events[i]
		f.text("kind", "", e.Kind.String())
		if !e.Time.IsZero() {
			f.key("at")
			f.b = appendSeconds(f.b, e.Time.Sub(w.header.Start))
		}
		f.text("proto", "", e.Tuple.Proto.String())
		f.endpoint("local", e.Tuple.Local, e.Tuple.LocalPort)
		f.endpoint("remote", e.Tuple.Remote, e.Tuple.RemotePort)
		f.uint("actor", 0, uint64(w.actors[clipped(&e.Process)]))
	})
}

// list appends n objects, if there are any.
func (f *fields) list(name string, n int, object func(i int)) {
	if n == 0 {
		return
	}
	f.key(name)
	f.b = append(f.b, '[')
	for i := range n {
		if i > 0 {
			f.b = append(f.b, ',')
		}
		f.open()
		object(i)
		f.close()
	}
	f.b = append(f.b, ']')
}

// ids appends a list of ids, if there are any.
func (f *fields) ids(name string, list []uint64) {
	if len(list) == 0 {
		return
	}
	f.key(name)
	f.b = append(f.b, '[')
	for i, id := range list {
		if i > 0 {
			f.b = append(f.b, ',')
		}
		f.b = strconv.AppendUint(f.b, id, 10)
	}
	f.b = append(f.b, ']')
}

// pack compresses the line. A full moment begins a frame, and so closes the
// one before.
func (w *Writer) pack() error {
	if w.full() {
		if w.moments > 0 {
			if err := w.zstd.Close(); err != nil {
				return fmt.Errorf("compress a moment: %w", err)
			}
		}
		w.zstd.Reset(&w.packed)
	}
	_, err := w.zstd.Write(w.line.b)
	if err == nil {
		err = w.zstd.Flush()
	}
	if err != nil {
		return fmt.Errorf("compress a moment: %w", err)
	}
	return nil
}

// send writes what is packed.
func (w *Writer) send(doing string) error {
	if _, err := w.w.Write(w.packed.Bytes()); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// settle makes s what a reader will get.
func (w *Writer) settle(s *flat) {
	s.Time = w.header.Start.Add(w.now)
	s.Host, s.OS, s.Kernel, s.Source = w.head.host, w.head.os, w.head.kernel, w.head.source
	s.LostEvents = max(0, s.LostEvents)
	for i := range s.Degraded {
		s.Degraded[i] = clip(s.Degraded[i])
	}
	for i := range s.Events {
		s.Events[i].Process = clipped(&s.Events[i].Process)
	}
	known := finder{entries: w.processes.entries}
	s.Sockets = w.sockets.sort(s.Sockets, &known, w.processes.ids, w.now)
	s.Processes = s.Processes[:0]
	for i := range w.processes.entries {
		s.Processes = append(s.Processes, w.processes.entries[i].process)
	}
}

// Moments is the number of moments written.
func (w *Writer) Moments() int { return w.moments }

// Close says in the recording that it is whole, and frees what the Writer
// holds. It writes nothing if no moment was written, or after an error of
// Write, and does not close the writer behind.
func (w *Writer) Close() error {
	if w.err != nil || w.moments == 0 {
		return nil
	}
	w.err = errClosed
	w.packed.Reset()
	if _, err := fmt.Fprintf(w.zstd, "{\"end\":true,\"moments\":%d}\n", w.moments); err != nil {
		return fmt.Errorf("end the recording: %w", err)
	}
	if err := w.zstd.Close(); err != nil {
		return fmt.Errorf("end the recording: %w", err)
	}
	return w.send("end the recording")
}

var errClosed = fmt.Errorf("write to a recording that is closed")
