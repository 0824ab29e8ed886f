package live

import (
	"fmt"

	"ephtop/source"
	"ephtop/source/guard"
)

// abandoner ends tracing whatever a poll does.
type abandoner struct {
	source.Source
	telling *telling
}

// Abandon is Close while a Poll does not return: it ends tracing, which would
// outlive the process.
func (a *abandoner) Abandon() error {
	var err error
	wait := guard.Aside{Patience: closePatience}
	if late := wait.Do("tracing", func() { err = a.telling.end() }); late != nil {
		return fmt.Errorf("end tracing: %w", late)
	}
	return err
}
