package list

// Column is a column of a list, by which it can be sorted.
type Column uint8

// The columns of the three lists: of connections, of destinations and of
// namespaces. ColumnWorst stands for none: it is the order of urgency.
const (
	ColumnWorst Column = iota
	ColumnLocal
	ColumnRemote
	ColumnState
	ColumnPID
	ColumnProcess
	ColumnAge
	ColumnLeft
	ColumnProto

	ColumnDestination
	ColumnUsed
	ColumnFree
	ColumnLive
	ColumnTimeWait
	ColumnRate
	ColumnOutlook
	ColumnHolder

	ColumnName
	ColumnKind
	ColumnLevel
	ColumnSockets
	NumColumns = 21
)

var headers = [NumColumns]string{
	ColumnWorst: "WORST FIRST", ColumnLocal: "LOCAL", ColumnRemote: "REMOTE", ColumnState: "STATE", ColumnPID: "PID",
	ColumnProcess: "PROCESS", ColumnAge: "AGE", ColumnLeft: "LEFT", ColumnProto: "PROTO",
	ColumnDestination: "DESTINATION", ColumnUsed: "USED", ColumnFree: "FREE", ColumnLive: "LIVE", ColumnTimeWait: "TIME_WAIT",
	ColumnRate: "+/s", ColumnOutlook: "OUTLOOK", ColumnHolder: "HOLDER",
	ColumnName: "NAME", ColumnKind: "KIND", ColumnLevel: "LEVEL", ColumnSockets: "SOCKETS",
}

// String gives the header of the column.
func (c Column) String() string { return headers[c%NumColumns] }

// falls reports whether people expect the most on top.
func (c Column) falls() bool {
	switch c {
	case ColumnWorst, ColumnAge, ColumnUsed, ColumnLive, ColumnTimeWait, ColumnRate, ColumnLevel, ColumnSockets:
		return true
	}
	return false
}

// Order is how a list is sorted. Without Reverse it is the direction that people
// expect of the column: the oldest first by age, the most first of what is
// counted, else from low to high.
//
//   - Worst first goes by the order of State.TCP.Pressure.Tuples, then the live
//     before those in TIME_WAIT, the oldest first; but the folds of TIME_WAIT
//     before the live where they hold most of the ports. What holds no port of a
//     destination comes after, LISTEN last.
//   - LOCAL and REMOTE go by the bytes of the address, then the port, so that
//     IPv6 below ::ffff:0:0/96 comes first, then IPv4, then all other IPv6.
//   - STATE goes by the life of a port ([model.LifeOrder]).
//   - PROCESS goes by name, then pid. Rows of no known process come last, by
//     PROCESS and by PID, in either direction; by LEFT those come last of which
//     no time is left.
//   - AGE goes by the time since the socket was first seen, for TIME_WAIT too.
//
// Rows that are equal so far go by local port, remote port, the rest of the
// four-tuple and the kernel's cookie, in either direction: the same sockets
// stand in the same order at every poll. A fold has no port and no cookie.
type Order struct {
	Column  Column
	Reverse bool
}

// Descending tells whether what the column shows falls from top to bottom.
func (o Order) Descending() bool { return o.Column.falls() != o.Reverse }
