// Package owner turns the inode of a socket into the process that holds it,
// on Linux, by reading the links in /proc/PID/fd.
//
// Reading all of them costs microseconds a descriptor, so a [Tracker]
// remembers what it read and follows what changes:
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
