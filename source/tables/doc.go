// Package tables reads the kernel's own socket tables, in place, for all network
// namespaces in one pass, and tells of what happens to sockets. It is for Linux
// on amd64 and arm64: small programs (BPF, bpf/tables.bpf.c) that are loaded into
// the kernel at the start, and that end with this process.
//
// sock_diag, which package sockdiag asks, is a window: one namespace, no bind
// buckets, and a price for every socket of the host each time anybody looks. Here
// is what stands behind it, and what is read of it:
//
//	net_namespace_list    every namespace: range, settings, TIME_WAIT, own tables
//	  │
//	  ├─ ehash            hash of a four-tuple → chain of TCP sockets in any state
//	  │    bucket ─▶ socket ─▶ timewait ─▶ request ─▶ (end of bucket 17)
//	  ├─ lhash2           listeners
//	  ├─ bhash            hash of a port → buckets of (namespace, VRF, port)
//	  │    bucket ─▶ port 40001, fastreuse −1     connect() made it: free for others
//	  │           ─▶ port 40002, fastreuse  0     bind() made it: blocked for all
//	  │                └─▶ its sockets: those bound and not connected make a row
//	  └─ udp_table        hash of a port → chain of UDP sockets
//	processes ─▶ open descriptors ─▶ inode        owners, see [Engine.Owners]
//
// A namespace that has a table of its own (tcp_child_ehash_entries,
// udp_child_hash_entries) has that walked too.
//
// A call walks some thousand rows into memory that we have mapped, ends at the
// end of a chain, and says in which bucket the next is to go on: none holds a
// processor for more than two milliseconds. It runs under RCU, so that what it
// meets can be read though it takes no lock. The rules that keep it true:
//
//   - A row is whole. A TCP socket that is freed can be another at once. So its
//     hash is noted first, the row is read, and then hash and port must be the
//     same still and the hash that of the bucket. If not, the rows of the chain
//     are forgotten and it is walked again.
//   - A chain is whole. It ends in a value that says which chain it is. If that
//     is another's, a socket took us along as it moved, and we walk again.
//   - A bucket of bhash is checked by its own hash: up to Linux 6.14 it may be
//     freed and used again while we look.
//   - Bound sockets come last: one that connects meanwhile is never seen twice. One
//     that does so between the two tables is not seen before the next walk.
//   - A namespace is known by its inode number and its cookie together, since
//     numbers are used again.
//   - No address of the kernel's memory leaves the mapped memory. It would be no
//     identity either: a socket's is used again within milliseconds.
//
// A port is refused by connect() to every destination if and only if it has a
// bucket whose fastreuse or fastreuseport is not negative (__inet_hash_connect).
// That is what Snapshot.Blocked says; a VRF has buckets of its own. From Linux
// 6.18 on a socket says too whether connect() chose its port.
//
// The programs come as two objects of one source. "direct" reads the kernel by
// plain loads that survive a fault, from Linux 6.2; "probe" by calls, up to twice
// as slow, from 5.17. Where structures differ between kernels, the loader takes
// what the running one says of itself (BTF). Whether all of it is understood is
// not believed but tried: [Load] opens sockets of each kind and the walk must
// bring them back, field by field.
//
// Events (see [Engine.Trace]) are told by the thread that does it, with the
// socket's own namespace, and wait in a ring of a megabyte until they are
// fetched:
//
//	inet_sock_set_state   ESTABLISHED → FIN_WAIT1            closed
//	                      SYN_SENT → CLOSE, no local port    connect failed
//	                      CLOSE → SYN_SENT, a local port     bound first
//	inet_hash_connect     EADDRNOTAVAIL                      connect failed
//	inet_csk_get_port,    refused, of any port or a named    bind failed
//	  udp_lib_get_port      one
//	inet_bind, connect    EADDRNOTAVAIL otherwise            address refused
//
// Where programs cannot be attached to functions, the ends of system calls tell
// the same from the second line of these on (tracepoints syscalls:sys_exit_*):
//
//	connect               EADDRNOTAVAIL                      connect failed, or address refused
//	bind, listen          EADDRINUSE                         bind failed
//	bind                  EADDRNOTAVAIL                      address refused
//	connect, sendto,      EAGAIN of UDP without a port       bind failed
//	  sendmsg, sendmmsg
//
// They see neither 32-bit programs nor io_uring, and make every system call of the
// host dearer by some 40 ns, 3 % of a getppid where that was measured.
//
// bpf/build.sh makes the objects, byte by byte the same wherever it runs.
package tables
