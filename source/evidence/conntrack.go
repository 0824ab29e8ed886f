package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"ephtop/source"
	"ephtop/source/evidence/host"
)

// conntrack reads the figures of the table.
func (h *gatherer) conntrack(context.Context) source.Conntrack {
	c := source.Conntrack{InsertFailed: -1, Drop: -1, EarlyDrop: -1}
	var err error
	if c.Count, err = h.number("/proc/sys/net/netfilter/nf_conntrack_count"); err != nil {
		c.Status = notReadable("nf_conntrack_count: %s", host.Reason(err))
		if errors.Is(err, fs.ErrNotExist) {
			c.Status = notThere("connection tracking (nf_conntrack) is not loaded")
		}
		return c
	}
	if c.Max, err = h.number("/proc/sys/net/netfilter/nf_conntrack_max"); err != nil {
		c.Status = notReadable("nf_conntrack_max: %s", host.Reason(err))
		return c
	}
	c.Status = read("")
	data, err := h.ReadNet("stat/nf_conntrack")
	if err == nil {
		var sums map[string]int64
		if sums, err = parseConntrackStat(data); err == nil {
			c.InsertFailed, c.Drop, c.EarlyDrop = sums["insert_failed"], sums["drop"], sums["early_drop"]
		}
	}
	if err != nil {
		c.Reason = "the counters of lost packets could not be read: " + host.Reason(err)
	}
	return c
}

func (h *gatherer) number(name string) (int, error) {
	data, err := h.Read(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return 0, fmt.Errorf("bad number %q", host.Clean(string(data), 40))
	}
	return n, nil
}

// conntrackCounters are those that must be there.
var conntrackCounters = []string{"insert_failed", "drop", "early_drop"}

// parseConntrackStat sums the columns of /proc/net/stat/nf_conntrack: a line
// of names, then one line of hexadecimal numbers a processor (ct_cpu_seq_show).
func parseConntrackStat(data []byte) (map[string]int64, error) {
	header, rows, _ := strings.Cut(string(data), "\n")
	names := strings.Fields(header)
	sums := make(map[string]int64, len(names))
	for row := range strings.Lines(rows) {
		fields := strings.Fields(row)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != len(names) {
			return nil, fmt.Errorf("a row of %d numbers under %d names", len(fields), len(names))
		}
		for i, text := range fields {
			n, err := strconv.ParseUint(text, 16, 32)
			if err != nil {
				return nil, fmt.Errorf("bad number %q", host.Clean(text, 40))
			}
			sums[names[i]] += int64(n)
		}
	}
	for _, name := range conntrackCounters {
		if _, ok := sums[name]; !ok {
			return nil, fmt.Errorf("no column %s", name)
		}
	}
	return sums, nil
}
