//go:build !linux

package evidence

func (h *host) kernelLog(func(logLine)) Status { return unknownHere("the kernel log") }
