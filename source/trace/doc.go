// Package trace tells which process closed a connection, or found no free port
// for one, at the moment when it happens, on Linux. A dump of the sockets
// can't: TIME_WAIT has no owner, and connections that live a few milliseconds
// fall between two polls.
//
// A [Tracer] reads the tracepoint sock:inet_sock_set_state (Linux 4.16 and
// later), which runs in the thread that changes the state of a socket. The
// kernel filters it down to the two changes of interest and writes them, in
// binary, into the buffers of a tracefs instance of our own, which others on
// the host do not see in theirs. Where tracefs is not mounted, it is mounted in
// a mount namespace that nobody else is in.
//
//	kernel   the thread that closes ─▶ tracepoint ─▶ filter ─▶ ring buffer of its CPU
//	                                                               │
//	             trace_pipe_raw: pages of binary records ◀─────────┘
//	Tracer         │ wait for one, collect, rest 1 to 20 ms, and again
//	               ▼
//	             record       time, thread id, four-tuple, which change
//	               │ /proc/TID: process and namespace, asked once a pass for each
//	               ▼ thread, remembered for 3 s beyond its end
//	             events       at most 65,536, sorted by time when they are asked for
//	               │
//	caller         └─▶ Drain  which collects first what has come since
//
// What is lost is counted at both ends: by the kernel where a ring buffer was
// full, by the Tracer where events were not drained.
//
// The kernel names a thread. A goroutine that belongs to the Tracer looks its
// process up in /proc at once, for many do not live long: within a millisecond
// when little happens, within 20 ms when much does. What it can't know any more
// it leaves out; it never guesses:
//
//   - Of a thread that has ended before it could be looked up, the event's
//     Process has the thread's id as PID (the process's own where it has one
//     thread), Start 0, and the name if the kernel remembered it. Its network
//     namespace is not known, and so the event is kept, with Netns 0.
//   - Events of threads in another network namespace are dropped, since its
//     tuples may equal ours.
//   - Of what a thread of the kernel's own does, as where it closes a connection
//     of MPTCP, neither process nor namespace is known.
//   - The namespace is the thread's, and that of the socket only in all
//     likelihood (Event.ByThread).
//
// It tells of failures of connect() of TCP for want of a port, and of no others.
//
// The package depends on package source, tracefs and /proc. It must not know
// what the events are used for.
package trace
