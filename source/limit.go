package source

// Limit is something that a look could not see. It is typed: the sentence that
// a person reads is made where it is shown (ui/advice).
type Limit struct {
	Code LimitCode `json:"code"`
	// Detail is what the code leaves open: the error of the system, the name
	// of a setting, a number.
	Detail string `json:"detail,omitempty"`
}

// LimitCode says what could not be seen.
type LimitCode string

// The limits. What Detail holds stands behind each.
const (
	// LimitNote: nothing that a code stands for. The sentence itself.
	LimitNote LimitCode = ""
	// LimitInterrupted: the tables changed during the dump.
	LimitInterrupted LimitCode = "dump-interrupted"
	// LimitOwners: processes could not be read. The error.
	LimitOwners LimitCode = "owners-unread"
	// LimitHidden: processes are hidden from us. Their number, left out where
	// they are hidden so well that they can't be counted (hidepid), and the
	// capabilities that would show them, as in "12 CAP_SYS_PTRACE"; none where
	// we have all, and a user namespace or a sandbox refuses them.
	LimitHidden LimitCode = "processes-hidden"
	// LimitOtherPIDs: processes outside of our pid namespace are not seen.
	LimitOtherPIDs LimitCode = "other-pids"
	// LimitOthersSockets: sockets of other users are hidden from us.
	LimitOthersSockets LimitCode = "sockets-hidden"
	// LimitNoUDP: the kernel can't dump UDP sockets.
	LimitNoUDP LimitCode = "no-udp"
	// LimitFallback: a better source was refused. The error.
	LimitFallback LimitCode = "fallback"
	// LimitTables: the kernel's own tables are not read. Why.
	LimitTables LimitCode = "no-tables"
	// LimitNetns: network namespaces were not looked at. Their number and why;
	// "other-pids" in a pid namespace of our own, where they can't be counted, and
	// "portable" where the origin knows its own only.
	LimitNetns LimitCode = "namespaces-unseen"
	// LimitUntraced: nothing is traced although it was asked for. The error.
	LimitUntraced LimitCode = "untraced"
	// LimitTraceStopped: tracing was stopped, since it would have cost more than it
	// may. The events a second, and the percent of a core that it may cost, as in
	// "31000 5".
	LimitTraceStopped LimitCode = "trace-stopped"
	// LimitTracePartly: no failures are told but those of connect() of TCP for want
	// of a port. Why.
	LimitTracePartly LimitCode = "traced-partly"
	// LimitTraceGap: some events may be missing. The error.
	LimitTraceGap LimitCode = "trace-gap"
	// LimitLostEvents: events had no room. Their number.
	LimitLostEvents LimitCode = "events-lost"
	// LimitNAT: which ports are given out by source NAT is not seen. Why.
	LimitNAT LimitCode = "no-nat"
	// LimitLate: files do not answer, such as those of a file server, so that names
	// or command lines are missing. Their paths.
	LimitLate LimitCode = "no-answer"
	// LimitRange: the range could not be read. The error.
	LimitRange LimitCode = "range-assumed"
	// LimitReserved: the reserved ports could not be read. The error.
	LimitReserved LimitCode = "reserved-unread"
	// LimitReuse: tcp_tw_reuse could not be read. The error.
	LimitReuse LimitCode = "reuse-unread"
	// LimitOpenFiles: only sockets that a process holds are listed.
	LimitOpenFiles LimitCode = "open-files-only"
	// LimitNoTimers: the time left of TIME_WAIT is not known.
	LimitNoTimers LimitCode = "no-timers"
	// LimitNoBound: bound and unconnected sockets are not listed.
	LimitNoBound LimitCode = "no-bound"
	// LimitMerged: sockets of one four-tuple count as one.
	LimitMerged LimitCode = "merged"
	// LimitUnreadable: sockets without readable addresses are left out. Their
	// number.
	LimitUnreadable LimitCode = "unreadable"
	// LimitRows: there was no memory for the rows of all connections; the others
	// are counted. How many there are, how many in all, and the bytes that may be
	// taken, as in "36000 209000 40265318".
	LimitRows LimitCode = "rows"
	// LimitTuples: there are so many destinations that those with the fewest ports
	// have no figures of their own. How many connections go there, and how many
	// tuples have, as in "180000 32768".
	LimitTuples LimitCode = "tuples"
	// LimitCut: the recording was cut, and this is its last whole moment.
	LimitCut LimitCode = "recording-cut"
)
