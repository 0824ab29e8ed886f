//go:build !linux

package live

import (
	"errors"

	"ephtop/source"
)

// kernelSupported says whether this system has the kernel's tables at all.
const kernelSupported = false

func openKernel(Options, failures) (source.Source, error) {
	return nil, errors.New("it needs Linux: use auto or portable")
}

func refused(error) bool { return false }
