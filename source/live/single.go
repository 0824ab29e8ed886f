package live

import (
	"context"
	"fmt"

	"ephtop/source"
	"ephtop/source/netns"
)

// single is a source of one namespace that was asked for by its name. Another
// one may have its name or its number at once when it has ended: that is not
// what was asked for.
type single struct {
	source.Source
	name  string
	scope source.Scope // of the first moment that had one
}

// Poll polls the source behind.
func (s *single) Poll(ctx context.Context, m *source.Moment) error {
	if err := s.Source.Poll(ctx, m); err != nil || len(m.Snapshots) == 0 {
		return err
	}
	scope := m.Snapshots[0].Scope
	if s.scope.Netns != 0 && !scope.Same(&s.scope) {
		return fmt.Errorf("network namespace %q: %w", s.name, netns.ErrGone)
	}
	if s.scope.Cookie == 0 {
		s.scope = scope
	}
	return nil
}
