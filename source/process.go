package source

// Process is a process that holds sockets. Texts are as the system gives
// them: what shows them strips control characters first.
type Process struct {
	PID int32 `json:"pid"`
	// Start tells two processes apart that had the same pid: clock ticks since
	// boot on Linux (proc_pid_stat(5), field 22), milliseconds since 1970
	// elsewhere. 0 where unknown.
	Start uint64 `json:"start"`
	// Name is the command name (proc_pid_comm(5)), at most 15 bytes on Linux.
	Name string `json:"name"`
	// Command is the command line, its arguments joined by spaces; empty for a
	// kernel thread.
	Command string `json:"command"`
	UID     uint32 `json:"uid"`
	// User is the name of UID, or its number in decimal.
	User string `json:"user"`
	// NSPID is the pid by which the process knows itself, where it is in a pid
	// namespace below ours (NSpid in proc_pid_status(5)); else 0.
	NSPID int32 `json:"ns_pid"`
	// Cgroup is the id of its control group, as in Moment.Cgroups, or 0.
	Cgroup uint64 `json:"cgroup"`
}

// ProcessKey names a process of a host, among those with its pid before and
// after it too.
type ProcessKey struct {
	PID   int32  `json:"pid"`
	Start uint64 `json:"start"` // as in Process
}

// Key returns the key of p.
func (p *Process) Key() ProcessKey { return ProcessKey{p.PID, p.Start} }

// Same reports whether p and q are one and the same process.
func (p *Process) Same(q *Process) bool { return p.Key() == q.Key() }
