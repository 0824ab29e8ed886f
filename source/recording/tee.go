package recording

import (
	"context"

	"ephtop/source"
)

// Tee is a source that writes each moment of src to w and hands it on, also
// where it can't be written: failed is told of the first error of the writer,
// and of none after it. Close closes src, not w.
func Tee(src source.Source, w *Writer, failed func(error)) source.Source {
	return &tee{Source: src, writer: w, failed: failed}
}

type tee struct {
	source.Source
	writer *Writer
	failed func(error) // nil once it was told
}

// Poll polls the source behind and records the moment.
func (t *tee) Poll(ctx context.Context, m *source.Moment) error {
	if err := t.Source.Poll(ctx, m); err != nil {
		return err
	}
	if t.failed == nil {
		return nil
	}
	if err := t.writer.Write(m); err != nil {
		t.failed(err)
		t.failed = nil
	}
	return nil
}
