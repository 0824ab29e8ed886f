package trace

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// field is where something stands in a record, in bytes.
type field struct{ offset, size int }

func (f field) end() int { return f.offset + f.size }

// recordLayout says where the fields of our tracepoint stand, which differs
// between kernels.
type recordLayout struct {
	id                    uint16
	kind, tid             field
	oldState, newState    field
	localPort, remotePort field
	family                field
	local4, remote4       field
	local6, remote6       field
	size                  int // bytes up to the end of the last of them
}

// pageLayout says how a page of the ring buffer begins.
type pageLayout struct{ time, commit, data field }

var errFormat = errors.New("malformed description of a trace event")

// maxOffset bounds what a description may claim: a page is at most 64 KB.
const maxOffset = 1 << 16

// parseRecordLayout reads events/sock/inet_sock_set_state/format.
func parseRecordLayout(text string) (recordLayout, error) {
	l := recordLayout{}
	fields, err := parseFields(text)
	if err != nil {
		return l, err
	}
	if l.id, err = parseID(text); err != nil {
		return l, err
	}
	for _, want := range []struct {
		name string
		to   *field
		size int
	}{
		{"common_type", &l.kind, 2},
		{"common_pid", &l.tid, 4},
		{"oldstate", &l.oldState, 4},
		{"newstate", &l.newState, 4},
		{"sport", &l.localPort, 2},
		{"dport", &l.remotePort, 2},
		{"family", &l.family, 2},
		{"saddr", &l.local4, 4},
		{"daddr", &l.remote4, 4},
		{"saddr_v6", &l.local6, 16},
		{"daddr_v6", &l.remote6, 16},
	} {
		f, ok := fields[want.name]
		if !ok || f.size != want.size {
			return l, fmt.Errorf("%w: no field %s of %d bytes", errFormat, want.name, want.size)
		}
		*want.to = f
		l.size = max(l.size, f.end())
	}
	return l, nil
}

func parseID(text string) (uint16, error) {
	for line := range strings.Lines(text) {
		if digits, ok := strings.CutPrefix(line, "ID:"); ok {
			id, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 16)
			if err != nil {
				return 0, fmt.Errorf("%w: id %q", errFormat, digits)
			}
			return uint16(id), nil
		}
	}
	return 0, fmt.Errorf("%w: no id", errFormat)
}

// parsePageLayout reads events/header_page.
func parsePageLayout(text string) (pageLayout, error) {
	fields, err := parseFields(text)
	if err != nil {
		return pageLayout{}, err
	}
	l := pageLayout{fields["timestamp"], fields["commit"], fields["data"]}
	if l.time.size != 8 || l.commit.size != 4 && l.commit.size != 8 || l.data.size == 0 {
		return l, fmt.Errorf("%w: header of a page", errFormat)
	}
	return l, nil
}

// parseFields reads the lines of a description that stand for fields, as
// f_show and ring_buffer_print_page_header write them:
//
//	field:__u8 saddr[4];	offset:32;	size:4;	signed:0;
func parseFields(text string) (map[string]field, error) {
	fields := make(map[string]field)
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "field:")
		if !ok {
			continue
		}
		parts := strings.Split(rest, ";")
		name := parts[0][strings.LastIndexAny(parts[0], " \t*")+1:]
		name, _, _ = strings.Cut(name, "[")
		if len(parts) < 3 || name == "" {
			return nil, fmt.Errorf("%w: %q", errFormat, line)
		}
		offset, err1 := parseSetting(parts[1], "offset:")
		size, err2 := parseSetting(parts[2], "size:")
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("%w: %q", errFormat, line)
		}
		fields[name] = field{offset, size}
	}
	return fields, nil
}

func parseSetting(s, name string) (int, error) {
	digits, ok := strings.CutPrefix(strings.TrimSpace(s), name)
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 || n > maxOffset {
		return 0, errFormat
	}
	return n, nil
}
