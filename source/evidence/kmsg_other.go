//go:build !linux

package evidence

import "ephtop/source"

func (h *host) kernelLog(func(logLine)) source.Status { return unknownHere("the kernel log") }
