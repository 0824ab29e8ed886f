package trace

import (
	"strconv"
	"strings"
)

// parseComms reads the file saved_cmdlines of tracefs: a thread id and its
// name on each line.
func parseComms(text string) map[int32]string {
	comms := make(map[int32]string)
	for line := range strings.Lines(text) {
		digits, comm, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		tid, err := strconv.ParseInt(digits, 10, 32)
		if ok && err == nil {
			comms[int32(tid)] = comm
		}
	}
	return comms
}
