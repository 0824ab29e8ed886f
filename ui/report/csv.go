package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

var csvHeader = [...]string{
	"proto", "state", "local_address", "local_port", "remote_address", "remote_port", "ephemeral",
	"pid", "process", "user", "owner", "uid", "inode", "expires_ms", "namespace",
}

// CSV writes the connections, one record each after a header, as RFC 4180 has
// it but for lines that end in LF, which line tools expect. A field is empty
// where its value is not known; otherwise the fields mean what they mean in
// [JSON].
//
// Process and user names come from whoever runs a process, and a spreadsheet
// evaluates a cell that begins with = + - or @ as a formula (OWASP, "CSV
// Injection"). So a name that begins with one of these or with an apostrophe,
// spaces before it or not, gets an apostrophe in front: a spreadsheet then
// shows the name as text, and a program has the name back by taking one leading
// apostrophe away.
//
// The last column is the namespace, as in [JSON], and there where one is known.
func CSV(w io.Writer, st *model.State, o Options) error {
	m := newCleanState(st)
	for i := range m.names {
		m.names[i] = guard(m.names[i])
	}
	namespace := guard(m.namespace())
	out := csv.NewWriter(w)
	fields := csvHeader
	record := fields[:]
	if namespace == "" {
		record = record[:len(record)-1]
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for _, row := range o.Rows {
		m.record(&fields, row)
		fields[len(fields)-1] = namespace
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (m *cleanState) record(record *[len(csvHeader)]string, row int32) {
	s, r := &m.Snapshot.Sockets[row], &m.Rows[row]
	*record = [len(csvHeader)]string{
		0: s.Proto.String(), 1: s.State.String(),
		2: s.Local.String(), 3: decimal(uint32(s.LocalPort)),
		4: s.Remote.String(), 5: decimal(uint32(s.RemotePort)),
		6:  strconv.FormatBool(m.Snapshot.Settings.Ephemeral(s.LocalPort)),
		10: r.Tier.String(),
	}
	if r.Process != source.NoProcess {
		record[7] = strconv.Itoa(int(m.Processes[r.Process].PID))
		record[8] = m.names[r.Process]
	}
	if p := m.owner(row); p != source.NoProcess {
		record[9] = guard(text.Sanitize(m.Processes[p].User))
	}
	if uid, ok := m.uid(row); ok {
		record[11] = decimal(uid)
	}
	if s.Inode != 0 {
		record[12] = decimal(s.Inode)
	}
	if ms, ok := expires(s); ok {
		record[13] = decimal(ms)
	}
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// guard keeps a spreadsheet from taking a name for a formula. Full-width signs
// are taken for the plain ones by some spreadsheets.
func guard(name string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(name, " "))
	if strings.ContainsRune("=+-@'＝＋－＠", first) {
		return "'" + name
	}
	return name
}
