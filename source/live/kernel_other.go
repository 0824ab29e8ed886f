//go:build !linux

package live

import (
	"errors"

	"ephtop/source"
)

// kernelSupported says whether this system has the kernel's tables at all.
const kernelSupported = false

// CanTrace says whether this system has anything to trace.
const CanTrace = false

var errNoKernel = errors.New("it needs Linux: use auto or portable")

func (*plan) openKernel() (source.Source, error) { return nil, errNoKernel }

func (*plan) openTables() (source.Source, error) { return nil, errNoKernel }

// watchExits does nothing here.
func watchExits(src source.Source) source.Source { return src }

func refused(error) bool { return false }

func ownNetns() uint64 { return 0 }
