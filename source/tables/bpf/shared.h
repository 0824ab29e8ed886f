// What the caller and the programs share, and where a walk is.
#pragma once

#define ROWS 8192
#define PORTS 8192
#define NAMESPACES 4096
#define DESCRIPTORS 8192
#define SOUGHT (1 << 20)

enum { AF_INET = 2, AF_INET6 = 10, TCP = 6, UDP = 17, MPTCP = 262 };
enum { EAGAIN = 11, EADDRINUSE = 98, EADDRNOTAVAIL = 99, S_IFMT = 0170000, S_IFSOCK = 0140000 };
enum { ESTABLISHED = 1, SYN_SENT = 2, FIN_WAIT1 = 4, TIME_WAIT = 6, CLOSE = 7, LISTEN = 10, NEW_SYN_RECV = 12 };
enum { RETRANSMIT = 1, KEEPALIVE = 2, TIMEWAIT = 3, PROBING = 4 }; // timers, as in inet_diag
enum { FAMILY6 = 1, STAMPS = 2, BIND_PORT = 8, CONNECT_BIND = 16 }; // flags of a row
enum { OWN_TCP = 1, OWN_UDP = 2 };                                 // tables of a namespace's own

// What a call is to do.
struct request {
	__u32 netns;      // whose tables: index in namespaces
	__u32 only;       // 1 + index of the only namespace whose rows are wanted; 0 for all
	__u32 bucket;     // where to begin
	__u32 rows;       // after so many rows, or so many steps, the call ends
	__u32 steps;      //   with the chain that it is at
	__u32 descriptor; // of a UDP socket of the caller
	__u32 filter;     // only the inodes in sought
	__u32 pid, word;  // where to go on among the processes:
	__u64 start;      //   see walk_files
};

// What it did.
struct result {
	__u32 count, ports; // of rows, namespaces or descriptors; of ports
	__u32 bucket, done; // where to go on; there is nothing more
	__u32 restarts, torn;
	__u32 pid, word;
	__u64 start, took; // took: nanoseconds
	__u32 knows_bind;
	__u32 cut; // the last chain was longer than rows: its rest is passed over
};

struct row {
	__u64 local[2], remote[2];
	__u16 local_port, remote_port;
	__u8 state, flags, timer, retransmits;
	__u64 cookie, cgroup;
	__u32 expires, netns; // jiffies; inode number
	__u32 inode, uid;
	__u32 receive_queue, send_queue;
	__u32 interface, pad;
};

struct port {
	__u32 netns, l3mdev;
	__u16 port, pad;
};

struct netns {
	__u64 cookie;
	__u32 inode, reuse_delay, time_waits;
	__s32 max_time_waits;
	__u16 low, high;
	__u8 reuse, timestamps, own, pad;
};

struct descriptor {
	__u32 pid, fd, inode;
};

struct {
	struct request request;
	struct result result;
	__u64 sought[SOUGHT / 64];
	struct netns namespaces[NAMESPACES];
	struct row rows[ROWS];
	struct port ports[PORTS];
	struct descriptor descriptors[DESCRIPTORS];
	__u64 reserved[65536 / 64];
	__u64 lost;               // events for which the ring had no room
	__u32 pid_namespace, pad; // the caller's, by its inode number; 0 for the first
} shared;
#define request shared.request
#define result shared.result

// Where the namespaces of the last walk_namespaces lie. The first is init_net,
// whose tables all share that have none of their own.
__u64 addresses[NAMESPACES];
__u64 init_net, operations;

// Where a walk is.
struct cursor {
	__u64 table, node, address, owner; // node: of a chain; below a bind bucket: of its addresses, of their sockets
	__u64 now, net, cgroup, cgroup_id, only, sink;
	__u32 mask, base, bucket, from; // from: the first bucket not looked at
	__u32 inode, mix;               // of net
	__u32 walking, tries, steps, first, first_port, port, owners;
	__u32 queued, next, full;
} cursor;

// The next chains.
#define QUEUE 32
struct {
	__u64 words[128];
	__u64 node[QUEUE];
	__u32 bucket[QUEUE];
} queue;
