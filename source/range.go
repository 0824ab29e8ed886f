package source

import (
	"context"
	"slices"
)

// WithRange is src with another range of ports than the system's, in every
// namespace.
func WithRange(src Source, r PortRange) Source { return &ranged{src, r} }

type ranged struct {
	Source
	with PortRange
}

// Poll polls the source behind and replaces the range of each namespace.
func (r *ranged) Poll(ctx context.Context, m *Moment) error {
	if err := r.Source.Poll(ctx, m); err != nil {
		return err
	}
	for i := range m.Snapshots {
		set := &m.Snapshots[i].Settings
		if set.PickLow == 0 && !set.Assumed {
			set.PickLow = set.Range.Low
		}
		set.Range, set.Assumed = r.with, false
	}
	for i := range m.Quiet {
		m.Quiet[i].Usable, m.Quiet[i].Assumed = r.with.Count(), false
	}
	m.Limits = slices.DeleteFunc(m.Limits, func(l Limit) bool { return l.Code == LimitRange })
	return nil
}
