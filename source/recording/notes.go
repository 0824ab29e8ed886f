package recording

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/klauspost/compress/zstd"

	"ephtop/source"
)

// notes are events that wait for the next moment, as the text that they are in it.
// Packed, one takes a tenth of the memory.
type notes struct {
	text   []byte   // what is not packed yet
	packed [][]byte // pieces
	events int
	zstd   *zstd.Decoder
	room   []byte
}

// Note has events be told with the next moment, before its own. There must be a
// moment already. An error stays, as that of Write.
func (w *Writer) Note(events []source.Event) error {
	if w.err == nil {
		w.err = w.note(events)
	}
	return w.err
}

func (w *Writer) note(events []source.Event) error {
	n := &w.notes
	if w.moments == 0 {
		return errors.New("record events: no moment is there to count their time from")
	}
	for i := range events {
		if err := checkEvent(&events[i]); err != nil {
			return fmt.Errorf("record events: %w", err)
		}
		if n.events++; n.events > 1 {
			n.text = append(n.text, ',')
		}
		n.text = w.event(n.text, reflect.ValueOf(&events[i]).Elem())
		if len(n.text) >= piece {
			n.room = w.zstd.EncodeAll(n.text, n.room[:0])
			n.packed, n.text = append(n.packed, slices.Clone(n.room)), n.text[:0]
		}
	}
	return nil
}

// Noted is the number of events that wait for a moment.
func (w *Writer) Noted() int { return w.notes.events }

// appendNotes appends the field of the events that wait, which wait no more.
func (w *Writer) appendNotes() error {
	n := &w.notes
	if n.zstd == nil && len(n.packed) > 0 {
		var err error
		if n.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true)); err != nil {
			return fmt.Errorf("prepare zstd: %w", err)
		}
	}
	w.b = append(w.b, `,"events":[`...)
	for _, b := range n.packed {
		var err error
		if n.room, err = n.zstd.DecodeAll(b, n.room[:0]); err != nil {
			return fmt.Errorf("unpack events: %w", err)
		}
		w.b = append(w.b, n.room...)
		if err := w.packPiece(); err != nil {
			return err
		}
	}
	w.b = append(append(w.b, n.text...), ']')
	n.text, n.packed, n.events = n.text[:0], nil, 0
	return nil
}
