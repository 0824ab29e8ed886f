package recording

import (
	"context"

	"ephtop/source"
)

// Tee is a source that writes each moment of src to w and hands it on as a
// replay will show it; see [Writer.Write]. An error of the writer is the
// poll's, and that of each poll after it. Close closes src, not w.
func Tee(src source.Source, w *Writer) source.Source { return &tee{src, w} }

type tee struct {
	source.Source
	writer *Writer
}

// Poll polls the source behind and records the moment.
func (t *tee) Poll(ctx context.Context, s *source.Moment) error {
	if err := t.Source.Poll(ctx, s); err != nil {
		return err
	}
	return t.writer.Write(s)
}

type anonymous struct {
	source.Source
	anonymizer *Anonymizer
}

// Poll polls the source behind and replaces what tells who and where.
func (s *anonymous) Poll(ctx context.Context, snapshot *source.Moment) error {
	if err := s.Source.Poll(ctx, snapshot); err != nil {
		return err
	}
	return s.anonymizer.Apply(snapshot)
}
