//go:build !linux

package live

import (
	"errors"
	"log/slog"

	"ephtop/source"
)

// kernelSupported says whether this system has the kernel's tables at all.
const kernelSupported = false

func openKernel(*slog.Logger) (source.Source, error) {
	return nil, errors.New("it needs Linux: use auto or portable")
}

func refused(error) bool { return false }
