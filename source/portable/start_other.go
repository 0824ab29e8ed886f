//go:build !linux

package portable

import (
	"context"

	"github.com/shirou/gopsutil/v3/process"
)

// startOf is when a process began, in milliseconds since 1970.
func startOf(ctx context.Context, pid int32) (uint64, error) {
	var ms int64
	var err error
	p := &process.Process{Pid: pid}
	if failed := guard(func() { ms, err = p.CreateTimeWithContext(ctx) }); failed != nil {
		return 0, failed
	}
	if err != nil {
		return 0, err
	}
	return uint64(max(ms, 0)), nil
}
