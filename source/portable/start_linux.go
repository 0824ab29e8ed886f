package portable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// startOf is when a process began, in clock ticks since boot. gopsutil's time
// is in seconds, and moves with the clock.
func startOf(_ context.Context, pid int32) (uint64, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(int(pid)) + "/stat")
	if err != nil {
		return 0, err
	}
	start, err := parseStart(string(data))
	if err != nil {
		return 0, fmt.Errorf("read /proc/%d/stat: %w", pid, err)
	}
	return start, nil
}

// parseStart reads field 22 of /proc/PID/stat (proc_pid_stat(5)). Field 2, the
// name, stands in brackets and may hold anything, brackets and spaces too.
func parseStart(stat string) (uint64, error) {
	const afterName = 22 - 3 // field 3 is the first behind the name
	end := strings.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, errors.New("no name in it")
	}
	fields := strings.Fields(stat[end+1:])
	if len(fields) <= afterName {
		return 0, errors.New("too few fields")
	}
	return strconv.ParseUint(fields[afterName], 10, 64)
}
