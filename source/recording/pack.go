package recording

import (
	"fmt"
	"strconv"

	"ephtop/source"
)

// beginFrame begins a frame where the moment is full, and so closes the one
// before.
func (w *Writer) beginFrame() error {
	w.b, w.size, w.frame, w.objects = w.b[:0], 0, -1, count{}
	if !w.full() {
		return nil
	}
	if err := w.closeFrame(); err != nil {
		return err
	}
	w.frame, w.open = w.packed.Len(), true
	w.index.begin()
	w.zstd.Reset(&w.packed)
	return nil
}

// closeFrame ends the frame, where one is open.
func (w *Writer) closeFrame() error {
	if !w.open {
		return nil
	}
	w.open = false
	if err := w.zstd.Close(); err != nil {
		return err
	}
	w.index.add(w.packed.Len(), 0)
	return nil
}

// piece is how much of a moment's lines is compressed at once: a full moment of
// a large host is longer than all else that is kept of it.
const piece = 64 << 10

// pack compresses what there is of the lines.
func (w *Writer) pack() error {
	if w.size += len(w.b); w.size > maxMoment {
		return fmt.Errorf("%d bytes: %w", w.size, ErrTooLarge)
	}
	if err := w.objects.add(w.b); err != nil {
		return err
	}
	if _, err := w.zstd.Write(w.b); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	w.b = w.b[:0]
	return nil
}

// packPiece compresses what there is of the lines, if that is a piece.
func (w *Writer) packPiece() error {
	if len(w.b) < piece {
		return nil
	}
	return w.pack()
}

// checkLoad tells whether a reader takes the moment, which may have read up to a
// block of it ahead.
func (w *Writer) checkLoad(m *source.Moment) error {
	const ahead = 1 << 18
	return load{w.size, w.objects.objects, len(m.Snapshots), max(0, w.packed.Len()-ahead)}.check()
}

// appendList appends a field with n objects, if there are any, and packs it piece
// by piece.
func (w *Writer) appendList(name string, n int, object func(b []byte, i int) []byte) error {
	if n == 0 {
		return nil
	}
	w.b = append(strconv.AppendQuote(append(w.b, ','), name), ":["...)
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = object(w.b, i)
		if err := w.packPiece(); err != nil {
			return err
		}
	}
	w.b = append(w.b, ']')
	return nil
}

// appendIDs appends a field with the ids of those at the given indices.
func appendIDs(b []byte, name string, indices []uint32) []byte {
	if len(indices) == 0 {
		return b
	}
	b = append(strconv.AppendQuote(append(b, ','), name), ":["...)
	for i, n := range indices {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(n)+1, 10)
	}
	return append(b, ']')
}
