//go:build !linux

package evidence

import (
	"ephtop/source"
)

func (h *gatherer) kernelLog(func(logLine)) source.Status { return unknownHere("the kernel log") }
