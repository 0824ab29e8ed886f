// Package owner turns the inode of a socket into the process that holds it,
// on Linux: a [Tracker] by reading the links in /proc/PID/fd, a [Finder] where
// the kernel's own tables of descriptors can be listed.
//
// Reading all of them costs microseconds a descriptor, a quarter of a second
// for 100,000, so a [Tracker] remembers what it read and follows what changes:
//
//	dump               table: inode → holder      processes, by pid and start time
//
//	socket, inode 71 ─▶ 71  held by 812 ─────────▶ 812 api   fd 0  other
//	socket, inode 72 ─▶ 72  held by 812 ─────────▶           fd 5  socket 71
//	socket, inode 80 ─▶ 80  sought  ◀─ ─ ─ ─ ─ ─ ─           fd 6  socket 72
//	                    65  not in the dump                  fd 7  socket 65, gone: read again
//	                                                         fd 8  free: tried
//
//	remembered                        read again
//	which processes there are         by a search that needs it, and every 32 polls
//	how many descriptors one has      each poll, if it held a socket: one fstat (Linux 6.2)
//	descriptor of a socket            when the inode is gone from the dump and another is
//	                                  sought; and some each poll, in turn
//	descriptor of something else      by a search that has found nothing otherwise
//	an inode that nobody holds        1, 2, 4 … polls later
//	name, command line, user          when the name changes, and now and then
//
// In words:
//
//   - A socket whose inode has an owner keeps it; that costs one look-up in a
//     hash table. Owners that end are noticed at once, and each poll checks a
//     few descriptors again, so that a socket handed to another process is
//     found in the end.
//   - An inode without an owner starts a search: first the processes whose
//     descriptors changed, and of these only the descriptors that are new or
//     whose inode has gone from the dump; then new processes, those of the same
//     cgroup, of the same user, and all others. The search stops when every
//     inode is found.
//   - An inode that nobody holds (another user's, or another container's) is
//     searched again after 1, 2, 4 … polls.
//
// The package depends on package source and on the kernel's interface, as
// proc_pid_fd(5) and proc_pid_stat(5) describe it. It must not know where the
// sockets come from, or what is done with the answer.
package owner
