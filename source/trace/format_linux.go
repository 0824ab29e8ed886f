package trace

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
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

// parseRecordLayout reads events/sock/inet_sock_set_state/format.
func parseRecordLayout(text string) (recordLayout, error) {
	l := recordLayout{}
	line := regexp.MustCompile(`(?m)^ID: (\d+)$`).FindStringSubmatch(text)
	if line == nil {
		return l, fmt.Errorf("%w: no id", errFormat)
	}
	id, err := strconv.ParseUint(line[1], 10, 16)
	if err != nil {
		return l, fmt.Errorf("%w: id %s", errFormat, line[1])
	}
	l.id = uint16(id)
	fields := parseFields(text)
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

// parsePageLayout reads events/header_page.
func parsePageLayout(text string) (pageLayout, error) {
	fields := parseFields(text)
	l := pageLayout{fields["timestamp"], fields["commit"], fields["data"]}
	if l.time.size != 8 || l.commit.size != 4 && l.commit.size != 8 || l.data.size == 0 {
		return l, fmt.Errorf("%w: header of a page", errFormat)
	}
	return l, nil
}

// parseFields reads the lines of a description that stand for fields, as
// f_show and ring_buffer_print_page_header write them. A page is at most 64 KB,
// so that five digits do.
//
//	field:__u8 saddr[4];	offset:32;	size:4;	signed:0;
func parseFields(text string) map[string]field {
	line := regexp.MustCompile(`field:[^;\n]*?(\w+)(?:\[\w*\])?;\s*offset:(\d{1,5});\s*size:(\d{1,5});`)
	fields := make(map[string]field)
	for _, found := range line.FindAllStringSubmatch(text, -1) {
		offset, _ := strconv.Atoi(found[2])
		size, _ := strconv.Atoi(found[3])
		fields[found[1]] = field{offset, size}
	}
	return fields
}
