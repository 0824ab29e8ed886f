package source

import "context"

// WithRange is src with another range of ports than the system's.
func WithRange(src Source, r PortRange) Source { return &ranged{src, r} }

type ranged struct {
	Source
	with PortRange
}

// Poll polls the source behind and replaces the range.
func (r *ranged) Poll(ctx context.Context, s *Snapshot) error {
	if err := r.Source.Poll(ctx, s); err != nil {
		return err
	}
	s.Settings = s.Settings.Clone()
	s.Settings.Range, s.Settings.Assumed = r.with, false
	return nil
}
