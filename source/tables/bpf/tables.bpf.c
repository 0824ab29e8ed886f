// Walks the kernel's socket tables in place, for all network namespaces, and
// tells of what happens to sockets.
//
// The programs that walk are raw tracepoints attached to nothing and run with
// BPF_PROG_TEST_RUN: that runs them once, under rcu_read_lock and with
// preemption off (net/bpf/test_run.c). The requests and the answers lie in
// memory that the caller has mapped.
//
// Two objects are made of this: "direct" reads the kernel by plain loads that
// survive a fault (bpf_rdonly_cast, Linux 6.2), and "probe", with -DPROBE, by
// the helper bpf_probe_read_kernel, up to twice as slow, on older kernels.
//
// What the verifier wants: state of a loop lies in memory and not on the stack,
// where it is tracked value by value and never converges; bodies with branches
// go into bpf_loop; alternatives between kernel versions stand in functions of
// their own, as clang would merge them and one failing relocation spoil both.
#include "helpers.h"
#include "kernel.h"

#ifdef PROBE
#define CAST(type, address) ((type *)(address))
#define READ(lvalue) ({ typeof(lvalue) _v = 0; bpf_probe_read_kernel(&_v, sizeof(_v), KERNEL_ADDRESS(lvalue)); _v; })
#define WORD(address) ({ __u64 _v = 0; bpf_probe_read_kernel(&_v, 8, (const void *)(address)); _v; })
#define TWO_WORDS(to, address) bpf_probe_read_kernel(to, 16, address)
#else
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym;
#define CAST(type, address) ((type *)bpf_rdonly_cast((const void *)(address), KERNEL_TYPE(type)))
#define READ(lvalue) (lvalue)
#define WORD(address) ((__u64)CAST(struct timespec64, address)->tv_sec)
#define TWO_WORDS(to, address) ({ struct timespec64 *_w = CAST(struct timespec64, address); (to)[0] = _w->tv_sec; (to)[1] = _w->tv_nsec; })
#endif

// COMMON reads a member of struct sock_common: of its copy, or in place.
#define COMMON_SIZE 112
#ifdef PROBE
#define COPY_COMMON(copy, sc) __u64 copy[COMMON_SIZE / 8]; bpf_probe_read_kernel(copy, COMMON_SIZE, sc)
#define COMMON(member) (*(typeof(((struct sock_common *)0)->member) *)((void *)copy + OFFSET(struct sock_common, member)))
#define COMMON_ADDRESS(to, member) ({ __u64 *_w = (void *)copy + OFFSET(struct sock_common, member); (to)[0] = _w[0]; (to)[1] = _w[1]; })
#else
#define COPY_COMMON(copy, sc) __u64 *copy = 0; (void)copy
#define COMMON(member) (sc->member)
#define COMMON_ADDRESS(to, member) TWO_WORDS(to, &sc->member)
#endif

// INDEX is an index that the verifier believes in: without the barrier clang
// drops the mask where it knows better, and 6.1 forgets the bounds of a
// spilled register.
#define INDEX(i, n) ({ __u32 _i = (i); asm volatile("" : "+r"(_i)); _i & ((n) - 1); })
// FORGET ends the body of a for loop: what is carried is read back from memory.
#define FORGET() asm volatile("" ::: "memory")

#define CONTAINER(address, type, member) ((address) - OFFSET(type, member))

#define ROWS 8192
#define PORTS 16384
#define NAMESPACES 4096
#define DESCRIPTORS 16384
#define SOUGHT (1 << 20)

enum { AF_INET6 = 10, TCP = 6, UDP = 17 };
enum { ESTABLISHED = 1, SYN_SENT = 2, FIN_WAIT1 = 4, TIME_WAIT = 6, CLOSE = 7, LISTEN = 10, NEW_SYN_RECV = 12 };
enum { RETRANSMIT = 1, KEEPALIVE = 2, TIMEWAIT = 3, PROBING = 4 }; // timers, as in inet_diag
enum { FAMILY6 = 1, CONNECT_BIND = 16 };                           // flags of a row
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
	__u32 knows_bind, pad;
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
	__u64 lost; // events for which the ring had no room
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

// ---- Rows

static __always_inline __u32 left(struct cursor *c, __u64 expires)
{
	__s64 d = expires - c->now;
	return d > 0 ? d : 0;
}

static __always_inline void enter(struct cursor *c, __u64 net)
{
	if (net == c->net)
		return;
	struct net *n = CAST(struct net, net);
	c->net = net;
	c->inode = READ(n->ns.inum);
	c->mix = READ(n->hash_mix);
}

static __always_inline void fill_common(struct cursor *c, struct sock_common *sc, __u64 *copy, struct row *r)
{
	enter(c, (__u64)COMMON(skc_net.net));
	r->netns = c->inode;
	r->local_port = COMMON(skc_num);
	r->remote_port = __builtin_bswap16(COMMON(skc_dport));
	r->flags = 0;
	if (COMMON(skc_family) == AF_INET6) {
		COMMON_ADDRESS(r->local, skc_v6_rcv_saddr);
		COMMON_ADDRESS(r->remote, skc_v6_daddr);
		r->flags = FAMILY6;
	} else { // a timewait of IPv4 does not fill the members of IPv6
		r->local[0] = r->remote[0] = 0;
		r->local[1] = 0xffff0000ull | (__u64)COMMON(skc_rcv_saddr) << 32;
		r->remote[1] = 0xffff0000ull | (__u64)COMMON(skc_daddr) << 32;
	}
	r->state = COMMON(skc_state);
	r->interface = COMMON(skc_bound_dev_if);
	r->cookie = COMMON(skc_cookie.counter);
	r->timer = r->retransmits = 0;
	r->expires = r->inode = r->uid = r->receive_queue = r->send_queue = 0;
	r->cgroup = 0;
}

static __always_inline void fill_owner(struct cursor *c, struct sock *sk, struct row *r)
{
	r->flags |= READ(sk->sk_userlocks) & CONNECT_BIND;
	r->uid = READ(sk->sk_uid.val);
	__u64 socket = WORD(&sk->sk_socket);
	if (socket)
		r->inode = READ(CAST(struct socket_alloc, socket)->vfs_inode.i_ino);
	if (!HAS(struct sock, sk_cgrp_data))
		return;
	__u64 cgroup = WORD(&sk->sk_cgrp_data.cgroup);
	if (cgroup != c->cgroup) {
		c->cgroup = cgroup;
		c->cgroup_id = 0;
		if (cgroup)
			c->cgroup_id = READ(CAST(struct kernfs_node, WORD(&CAST(struct cgroup, cgroup)->kn))->id);
	}
	r->cgroup = c->cgroup_id;
}

static __always_inline void fill_queues(struct sock *sk, struct row *r, __u8 state)
{
	struct tcp_sock *tp = CAST(struct tcp_sock, sk);
	if (state == LISTEN) {
		r->receive_queue = READ(sk->sk_ack_backlog);
		r->send_queue = READ(sk->sk_max_ack_backlog);
		return;
	}
	__s32 unread = READ(tp->rcv_nxt) - READ(tp->copied_seq);
	r->receive_queue = unread > 0 ? unread : 0;
	r->send_queue = READ(tp->write_seq) - READ(tp->snd_una);
}

static __noinline __u64 retransmit_timer(__u64 sk)
{
	struct inet_connection_sock *icsk = CAST(struct inet_connection_sock, sk);
	if (HAS(struct inet_connection_sock, icsk_timeout))
		return READ(icsk->icsk_timeout);
	if (HAS(struct inet_connection_sock, icsk_retransmit_timer))
		return READ(icsk->icsk_retransmit_timer.expires);
	return READ(CAST(struct sock___619, sk)->tcp_retransmit_timer.expires);
}

// The timer that inet_diag calls keepalive; it does much else. From 6.19 on
// it is a member of inet_connection_sock.
static __always_inline __u64 keepalive_timer(__u64 sk)
{
	return HAS(struct inet_connection_sock, icsk_keepalive_timer) ? sk + OFFSET(struct inet_connection_sock, icsk_keepalive_timer)
								      : sk + OFFSET(struct sock, sk_timer);
}

static __always_inline void fill_timer(struct cursor *c, __u64 sk, struct row *r)
{
	struct inet_connection_sock *icsk = CAST(struct inet_connection_sock, sk);
	__u8 pending = READ(icsk->icsk_pending);
	if (pending == 3) { // ICSK_TIME_PROBE0
		r->timer = PROBING;
		r->retransmits = READ(icsk->icsk_probes_out);
		r->expires = left(c, retransmit_timer(sk));
	} else if (pending == 1 || pending == 5 || pending == 6) { // RETRANS, LOSS_PROBE, REO_TIMEOUT
		r->timer = RETRANSMIT;
		r->retransmits = READ(icsk->icsk_retransmits);
		r->expires = left(c, retransmit_timer(sk));
	} else {
		struct timer_list *timer = CAST(struct timer_list, keepalive_timer(sk));
		if (!WORD(&timer->entry.pprev))
			return;
		r->timer = KEEPALIVE;
		r->retransmits = READ(icsk->icsk_probes_out);
		r->expires = left(c, READ(timer->expires));
	}
}

static __always_inline void fill_timewait(struct cursor *c, __u64 at, struct row *r)
{
#ifdef PROBE // all that is read lies close behind tw_mark: one copy
	__u8 copy[96];
	bpf_probe_read_kernel(copy, sizeof(copy), (void *)(at + OFFSET(struct inet_timewait_sock, tw_mark)));
#define TW(type, offset) (*(type *)(copy + ((offset) - OFFSET(struct inet_timewait_sock, tw_mark))))
#else
#define TW(type, offset) ((type)WORD(at + (offset)))
#endif
	r->state = TW(__u8, OFFSET(struct inet_timewait_sock, tw_substate));
	r->timer = TIMEWAIT;
	r->expires = left(c, TW(__u64, OFFSET(struct inet_timewait_sock, tw_timer.expires)));
	if (HAS(struct inet_timewait_sock, tw_connect_bind)) {
		__u64 word = TW(__u32, BITS_OFFSET(struct inet_timewait_sock, tw_connect_bind));
		if (BITS(struct inet_timewait_sock, tw_connect_bind, word))
			r->flags |= CONNECT_BIND;
	}
}

static __always_inline void fill_tcp(struct cursor *c, struct sock_common *sc, __u64 at, __u64 *copy, struct row *r)
{
	__u8 state = COMMON(skc_state);
	fill_common(c, sc, copy, r);
	if (state == TIME_WAIT) {
		fill_timewait(c, at, r);
	} else if (state == NEW_SYN_RECV) {
		struct request_sock *rq = CAST(struct request_sock, at);
		r->timer = RETRANSMIT;
		r->retransmits = READ(rq->num_retrans);
		r->expires = left(c, READ(rq->rsk_timer.expires));
	} else {
		struct sock *sk = CAST(struct sock, at);
		fill_owner(c, sk, r);
		fill_queues(sk, r, state);
		fill_timer(c, at, r);
	}
}

static __always_inline void fill_udp(struct cursor *c, struct sock_common *sc, __u64 at, __u64 *copy, struct row *r)
{
	struct sock *sk = CAST(struct sock, at);
	fill_common(c, sc, copy, r);
	fill_owner(c, sk, r);
	r->receive_queue = READ(sk->sk_backlog.rmem_alloc.counter) - READ(CAST(struct udp_sock, at)->forward_deficit);
	r->send_queue = READ(sk->sk_wmem_alloc.refs.counter) - 1;
}

// ---- Chains

// next_chain takes the next chain from the queue, or looks for more of them in
// a few buckets.
enum { LOOKING, FULL, CHAIN, END };
#ifdef PROBE // 512 bytes of the table in one read; a bucket has at most 24
#define BUCKETS 21
#define HEAD(i) (queue.words[((i) * size + offset) >> 3 & 127])
#else
#define BUCKETS 32
#define HEAD(i) WORD(c->table + (__u64)c->from * size + offset)
#endif
static __always_inline int next_chain(struct cursor *c, __u32 size, __u32 offset, bool nulls)
{
	if (c->full) {
		__u32 i = c->next;
		if (i < c->queued) {
			i = INDEX(i, QUEUE);
			c->bucket = queue.bucket[i];
			c->node = queue.node[i];
			c->next = i + 1;
			c->walking = 1;
			c->tries = c->owners = 0;
			c->first = result.count;
			c->first_port = result.ports;
			return CHAIN;
		}
		c->full = c->next = c->queued = 0;
	}
#ifdef PROBE // not past the end of the table
	__u64 bytes = ((__u64)c->mask + 1 - c->from) * size;
	bytes = INDEX(bytes < 512 ? bytes : 512, 1024);
	bpf_probe_read_kernel(queue.words, bytes, (void *)(c->table + (__u64)c->from * size));
#endif
	for (int i = 0; i < BUCKETS; i++) {
		__u32 n = c->queued;
		if (c->from > c->mask || n >= QUEUE)
			break;
		__u64 node = HEAD(i);
		if (node && !(nulls && node & 1)) {
			n = INDEX(n, QUEUE);
			queue.node[n] = node;
			queue.bucket[n] = c->from;
			c->queued = n + 1;
		}
		c->from++;
		FORGET();
	}
	if (c->queued < QUEUE && c->from <= c->mask && !(c->queued && c->steps > request.steps))
		return LOOKING;
	if (!c->queued)
		return END;
	c->full = 1;
	return FULL;
}

// stop reports whether a call has done enough: between two chains, and by steps
// only where none is waiting.
static __always_inline bool stop(struct cursor *c)
{
	return result.count >= request.rows || result.ports >= request.rows || (c->steps > request.steps && c->next >= c->queued);
}

// rewind has the chain walked again from its head.
static __always_inline void rewind(struct cursor *c, __u32 size, __u32 offset)
{
	result.restarts++;
	c->tries++;
	c->owners = 0;
	result.count = c->first;
	result.ports = c->first_port;
	c->node = WORD(c->table + (__u64)c->bucket * size + offset);
}
#define TRIES 8

#ifndef PROBE
// touch loads the cache lines that the rows of the next chains are made of, so
// that the processor waits for many of them at a time.
static __always_inline void touch(struct cursor *c, __u64 node)
{
	__u64 at = CONTAINER(node, struct sock_common, skc_nulls_node);
	struct sock *sk = CAST(struct sock, at);
	struct tcp_sock *tp = CAST(struct tcp_sock, at);
	__u8 state = sk->__sk_common.skc_state;
	__u64 sum = WORD(at + 64);
	if (c->only && (__u64)sk->__sk_common.skc_net.net != c->only) {
	} else if (state == TIME_WAIT) {
		sum += CAST(struct inet_timewait_sock, at)->tw_timer.expires;
	} else if (state != NEW_SYN_RECV) {
		sum += sk->sk_userlocks + WORD(&sk->sk_socket) + sk->sk_uid.val;
		if (HAS(struct sock, sk_cgrp_data))
			sum += WORD(&sk->sk_cgrp_data.cgroup);
		sum += tp->inet_conn.icsk_pending + WORD(keepalive_timer(at));
		sum += tp->rcv_nxt + tp->copied_seq + tp->write_seq + tp->snd_una;
	}
	c->sink += sum;
}

static long touch_first(__u32 i, void *context)
{
	touch(&cursor, queue.node[INDEX(i, QUEUE)]);
	return 0;
}

// The inode of the first socket of a chain, and the second socket.
static long touch_second(__u32 i, void *context)
{
	struct cursor *c = &cursor;
	__u64 node = queue.node[INDEX(i, QUEUE)], second = WORD(node);
	struct sock *sk = CAST(struct sock, CONTAINER(node, struct sock_common, skc_nulls_node));
	__u8 state = sk->__sk_common.skc_state;
	if (state != TIME_WAIT && state != NEW_SYN_RECV) {
		__u64 socket = WORD(&sk->sk_socket);
		if (socket)
			c->sink += CAST(struct socket_alloc, socket)->vfs_inode.i_ino;
	}
	if (!(second & 1))
		touch(c, second);
	return 0;
}

static long touch_node(__u32 i, void *context)
{
	cursor.sink += WORD(queue.node[INDEX(i, QUEUE)]);
	return 0;
}
#endif

// step is one step of a walk over a table of sockets: a row, or the next chain.
// A row is whole if its socket was in this chain before it was read and was
// the same after: the kernel frees TCP sockets into new ones at once, without a
// grace period. The chains of TCP end in a value that tells which chain it is
// (nulls).
enum table { EHASH, LHASH2, UDP_HASH };
static __always_inline long step(enum table table, __u32 size, __u32 offset, __u32 node_offset)
{
	struct cursor *c = &cursor;
	bool nulls = table != UDP_HASH;
	c->steps++;
	if (!c->walking) {
		if (stop(c))
			return 1;
		int got = next_chain(c, size, offset, nulls);
#ifndef PROBE
		if (got == FULL && table == EHASH) {
			bpf_loop(c->queued, touch_first, 0, 0);
			bpf_loop(c->queued, touch_second, 0, 0);
		}
#endif
		result.done = got == END;
		return got == END;
	}
	__u64 node = c->node;
	if (!node || (nulls && node & 1)) {
		if (nulls && (__u32)(node >> 1) != c->bucket + c->base && c->tries < TRIES)
			rewind(c, size, offset);
		else
			c->walking = 0;
		return 0;
	}
	__u32 i = result.count;
	if (i >= ROWS)
		return 1; // the chain is left for the next call
	struct row *r = &shared.rows[INDEX(i, ROWS)];
	__u64 at = node - node_offset;
	struct sock_common *sc = CAST(struct sock_common, at);
	COPY_COMMON(copy, sc);
	__u32 hash = COMMON(skc_hash);
	if (c->only && (__u64)COMMON(skc_net.net) != c->only) {
		c->node = WORD(node);
		return 0;
	}
	if (table == UDP_HASH)
		fill_udp(c, sc, at, copy, r);
	else
		fill_tcp(c, sc, at, copy, r);
#ifdef PROBE
	__u64 next = node_offset == OFFSET(struct sock_common, skc_node) ? (__u64)COMMON(skc_node.next) : (__u64)COMMON(skc_nulls_node.next);
	bpf_probe_read_kernel(copy, 16, sc);
#else
	FORGET();
	__u64 next = WORD(node);
#endif
	bool same = COMMON(skc_num) == r->local_port;
	if (table == EHASH)
		same = same && COMMON(skc_hash) == hash && (hash & c->mask) == c->bucket;
	else if (table == LHASH2)
		same = same && r->state == LISTEN;
	else
		same = same && ((r->local_port + c->mix) & c->mask) == c->bucket;
	if (!same) {
		result.torn++;
		if (c->tries < TRIES) {
			rewind(c, size, offset);
			return 0;
		}
	}
	if (same)
		result.count = i + 1;
	c->node = next;
	return 0;
}

static long tcp_step(__u32 i, void *context) { return step(EHASH, 8, 0, OFFSET(struct sock_common, skc_nulls_node)); }

static long listen_step(__u32 i, void *context)
{
	return step(LHASH2, SIZE(struct inet_listen_hashbucket), OFFSET(struct inet_listen_hashbucket, nulls_head), OFFSET(struct sock_common, skc_nulls_node));
}

static long udp_step(__u32 i, void *context)
{
	return step(UDP_HASH, SIZE(struct udp_hslot), OFFSET(struct udp_hslot, head), OFFSET(struct sock_common, skc_node));
}

// namespace returns where a namespace lies, if it is still the one that
// walk_namespaces saw.
static __always_inline __u64 namespace(__u32 i)
{
	struct netns *n = &shared.namespaces[INDEX(i, NAMESPACES)];
	__u64 at = addresses[INDEX(i, NAMESPACES)];
	struct net *net = CAST(struct net, at);
	__u64 cookie = READ(net->net_cookie);
	__u32 inode = READ(net->ns.inum);
	return cookie == n->cookie && inode == n->inode ? at : 0;
}

static __always_inline struct inet_hashinfo *hashinfo(__u64 net)
{
	return CAST(struct inet_hashinfo, WORD(&CAST(struct net, net)->ipv4.tcp_death_row.hashinfo));
}

// begin returns the namespace whose tables are to be walked, or 0: it has gone.
static __always_inline __u64 begin(struct cursor *c)
{
	__builtin_memset(c, 0, sizeof(*c));
	result.count = result.ports = result.restarts = result.torn = result.done = 0;
	result.took = bpf_ktime_get_ns();
	c->from = request.bucket;
	c->cgroup = 1;
	c->now = bpf_jiffies64();
	if (request.only && !(c->only = namespace(request.only - 1)))
		return 0;
	return namespace(request.netns);
}

#define MORE_STEPS 65536 // to end a chain
static __always_inline int end(struct cursor *c)
{
	if (c->walking) { // no room, or a chain without an end
		result.count = c->first;
		result.ports = c->first_port;
		result.bucket = c->bucket;
	} else {
		result.bucket = c->next < c->queued ? queue.bucket[INDEX(c->next, QUEUE)] : c->from;
	}
	result.took = bpf_ktime_get_ns() - result.took;
	return 0;
}

SEC("raw_tp") int walk_tcp(void *context)
{
	struct cursor *c = &cursor;
	__u64 net = begin(c);
	if (!net)
		return 1;
	struct inet_hashinfo *h = hashinfo(net);
	c->table = WORD(&h->ehash);
	c->mask = READ(h->ehash_mask);
	bpf_loop(request.steps + MORE_STEPS, tcp_step, 0, 0);
	return end(c);
}

SEC("raw_tp") int walk_listen(void *context)
{
	struct cursor *c = &cursor;
	__u64 net = begin(c);
	if (!net)
		return 1;
	struct inet_hashinfo *h = hashinfo(net);
	c->table = WORD(&h->lhash2);
	c->mask = READ(h->lhash2_mask);
	c->base = 1 << 29; // LISTENING_NULLS_BASE
	bpf_loop(request.steps + MORE_STEPS, listen_step, 0, 0);
	return end(c);
}

// own_file returns a descriptor of the caller.
static __always_inline struct file *own_file(__u32 fd)
{
	struct task_struct *me = CAST(struct task_struct, bpf_get_current_task());
	struct files_struct *files = CAST(struct files_struct, WORD(&me->files));
	struct fdtable *table = CAST(struct fdtable, WORD(&files->fdt));
	return CAST(struct file, WORD(WORD(&table->fd) + 8ull * fd));
}

// Up to 6.1 there is one table of UDP, and a socket leads to it.
static __noinline __u64 udp_table_of_socket(void)
{
	struct socket *socket = CAST(struct socket, WORD(&own_file(request.descriptor)->private_data));
	struct sock_common *sc = CAST(struct sock_common, WORD(&socket->sk));
	return WORD(&CAST(struct proto, WORD(&sc->skc_prot))->h.udp_table);
}

static __noinline __u64 udp_table_of_namespace(__u64 net) { return WORD(&CAST(struct net, net)->ipv4.udp_table); }

SEC("raw_tp") int walk_udp(void *context)
{
	struct cursor *c = &cursor;
	__u64 net = begin(c);
	if (!net)
		return 1;
	struct udp_table *t = CAST(struct udp_table, HAS(struct netns_ipv4, udp_table) ? udp_table_of_namespace(net) : udp_table_of_socket());
	c->table = WORD(&t->hash);
	c->mask = READ(t->mask);
	bpf_loop(request.steps + MORE_STEPS, udp_step, 0, 0);
	return end(c);
}

// ---- Bind buckets

static __noinline __u64 addresses_of(__u64 bucket) { return WORD(&CAST(struct inet_bind_bucket, bucket)->bhash2.first); }
static __noinline __u64 owners_of(__u64 bucket) { return WORD(&CAST(struct inet_bind_bucket___67, bucket)->owners.first); }
static __noinline __u64 owners_of_address(__u64 node, __u32 port)
{
	struct inet_bind2_bucket *b = CAST(struct inet_bind2_bucket, CONTAINER(node, struct inet_bind2_bucket, bhash_node));
	if (READ(b->port) == port)
		return WORD(&b->owners.first);
	result.torn++;
	return 0;
}

// Sockets of one port that are looked at. One that has more is a server's, and
// what is bound there besides blocks no more than the server does.
#define OWNERS 4096

// A socket of a bind bucket makes a row if it is bound and no more.
static __always_inline long owner_step(struct cursor *c, __u64 node)
{
	__u64 at = CONTAINER(node, struct sock_common, skc_bind_node);
	struct sock_common *sc = CAST(struct sock_common, at);
	c->owner = WORD(node);
	if (READ(sc->skc_num) != c->port) { // freed and used again
		result.torn++;
		c->owner = 0;
		return 0;
	}
	if (++c->owners > OWNERS)
		c->address = c->owner = 0;
	if (READ(sc->skc_state) != CLOSE || (c->only && (__u64)READ(sc->skc_net.net) != c->only))
		return 0;
	__u32 i = result.count;
	if (i >= ROWS)
		return 1;
	struct row *r = &shared.rows[INDEX(i, ROWS)];
	COPY_COMMON(copy, sc);
	fill_tcp(c, sc, at, copy, r);
	if (r->state == CLOSE && r->local_port == c->port)
		result.count = i + 1;
	return 0;
}

// A bind bucket whose fastreuse or fastreuseport is not negative is one that
// connect() skips, whatever the destination (__inet_hash_connect). Buckets are
// freed at once up to 6.14: one that does not belong here was.
static __always_inline long bucket_step(struct cursor *c, __u64 node, __u32 size, __u32 offset)
{
	__u64 at = CONTAINER(node, struct inet_bind_bucket, node);
	struct inet_bind_bucket *b = CAST(struct inet_bind_bucket, at);
	__u64 net = WORD(&b->ib_net);
	__u32 i = result.ports, port = READ(b->port), l3mdev = READ(b->l3mdev);
	__s8 reuse = READ(b->fastreuse), reuseport = READ(b->fastreuseport);
	c->node = WORD(node);
	enter(c, net);
	if (((port + c->mix) & c->mask) != c->bucket) {
		result.torn++;
		c->node = 0;
		if (c->tries < TRIES)
			rewind(c, size, offset);
		return 0;
	}
	if ((reuse < 0 && reuseport < 0) || (c->only && net != c->only))
		return 0;
	if (i >= PORTS)
		return 1;
	struct port *p = &shared.ports[INDEX(i, PORTS)];
	p->netns = c->inode;
	p->l3mdev = l3mdev;
	p->port = port;
	result.ports = i + 1;
	c->port = port;
	c->owners = 0;
	if (HAS(struct inet_bind_bucket, bhash2))
		c->address = addresses_of(at);
	else
		c->owner = owners_of(at);
	return 0;
}

static long bind_step(__u32 i, void *context)
{
	struct cursor *c = &cursor;
	__u32 size = SIZE(struct inet_bind_hashbucket), offset = OFFSET(struct inet_bind_hashbucket, chain);
	__u64 node;
	c->steps++;
	if ((node = c->owner))
		return owner_step(c, node);
	if (HAS(struct inet_bind2_bucket, bhash_node) && (node = c->address)) {
		c->address = WORD(node);
		c->owner = owners_of_address(node, c->port);
		if (++c->owners > OWNERS)
			c->address = 0;
		return 0;
	}
	if ((node = c->node))
		return bucket_step(c, node, size, offset);
	c->walking = 0;
	if (stop(c))
		return 1;
	int got = next_chain(c, size, offset, false);
#ifndef PROBE
	if (got == FULL)
		bpf_loop(c->queued, touch_node, 0, 0);
#endif
	result.done = got == END;
	return got == END;
}

SEC("raw_tp") int walk_bind(void *context)
{
	struct cursor *c = &cursor;
	__u64 net = begin(c);
	if (!net)
		return 1;
	struct inet_hashinfo *h = hashinfo(net);
	c->table = WORD(&h->bhash);
	c->mask = READ(h->bhash_size) - 1;
	bpf_loop(request.steps + MORE_STEPS, bind_step, 0, 0);
	return end(c);
}

// ---- Namespaces

// The list of namespaces is a ring with a bare list_head in it, that is before
// init_net: what has other operations than a namespace is that head.
struct ring {
	__u64 at;
	__u32 count;
} ring_of_namespaces;

static __always_inline __u64 next_namespace(__u64 net) { return WORD(net + OFFSET(struct net, list)) - OFFSET(struct net, list); }

static long find_init_net(__u32 i, void *context)
{
	struct ring *r = &ring_of_namespaces;
	__u64 at = r->at;
	r->at = next_namespace(at);
	if (WORD(&CAST(struct net, at)->ns.ops) == operations)
		return 0;
	init_net = r->at;
	return 1;
}

// The range as high << 16 | low.
static __noinline __u32 port_range(__u64 net) { return READ(CAST(struct net, net)->ipv4.ip_local_ports.range); }
static __noinline __u32 port_range_67(__u64 net)
{
	struct net___67 *n = CAST(struct net___67, net);
	return READ(n->ipv4.ip_local_ports.range[0]) | (__u32)READ(n->ipv4.ip_local_ports.range[1]) << 16;
}

static long namespace_step(__u32 index, void *context)
{
	struct ring *ring = &ring_of_namespaces;
	__u32 i = ring->count;
	__u64 at = ring->at;
	struct net *net = CAST(struct net, at);
	if (WORD(&net->ns.ops) != operations) {
		result.done = 1;
		return 1;
	}
	if (i >= NAMESPACES)
		return 1;
	i = INDEX(i, NAMESPACES);
	struct netns *n = &shared.namespaces[i];
	addresses[i] = at;
	__u64 cookie = READ(net->net_cookie);
	__u32 inode = READ(net->ns.inum);
	n->cookie = cookie;
	n->inode = inode;
	__u32 range = HAS(struct local_ports, range) ? port_range(at) : port_range_67(at);
	n->low = range;
	n->high = range >> 16;
	n->reuse = READ(net->ipv4.sysctl_tcp_tw_reuse);
	n->timestamps = READ(net->ipv4.sysctl_tcp_timestamps);
	n->reuse_delay = 1000; // ms: fixed up to 6.13
	if (HAS(struct netns_ipv4, sysctl_tcp_tw_reuse_delay))
		n->reuse_delay = READ(net->ipv4.sysctl_tcp_tw_reuse_delay);
	n->max_time_waits = READ(net->ipv4.tcp_death_row.sysctl_max_tw_buckets);
	n->time_waits = READ(net->ipv4.tcp_death_row.tw_refcount.refs.counter) - 1;
	n->own = 0;
	struct net *first = CAST(struct net, init_net);
	if (WORD(&net->ipv4.tcp_death_row.hashinfo) != WORD(&first->ipv4.tcp_death_row.hashinfo))
		n->own |= OWN_TCP;
	if (HAS(struct netns_ipv4, udp_table) && udp_table_of_namespace(at) != udp_table_of_namespace(init_net))
		n->own |= OWN_UDP;
	ring->count = i + 1;
	ring->at = next_namespace(at);
	return 0;
}

SEC("raw_tp") int walk_namespaces(void *context)
{
	struct ring *r = &ring_of_namespaces;
	result.took = bpf_ktime_get_ns();
	result.done = 0;
	if (!init_net) {
		struct task_struct *me = CAST(struct task_struct, bpf_get_current_task());
		r->at = WORD(&CAST(struct nsproxy, WORD(&me->nsproxy))->net_ns);
		operations = WORD(&CAST(struct net, r->at)->ns.ops);
		bpf_loop(1 << 20, find_init_net, 0, 0);
	}
	r->at = init_net;
	r->count = 0;
	bpf_loop(NAMESPACES + 1, namespace_step, 0, 0);
	result.count = r->count;
	result.knows_bind = HAS(struct inet_timewait_sock, tw_connect_bind);
	result.took = bpf_ktime_get_ns() - result.took;
	return 0;
}

// The bitmap of net.ipv4.ip_local_reserved_ports.
__u64 bitmap;
static long reserved_step(__u32 i, void *context)
{
	shared.reserved[INDEX(i, 1024)] = WORD(bitmap + 8ull * i);
	return 0;
}

SEC("raw_tp") int read_reserved(void *context)
{
	result.took = bpf_ktime_get_ns();
	__u64 net = namespace(request.netns);
	if (!net)
		return 1;
	bitmap = WORD(&CAST(struct net, net)->ipv4.sysctl_local_reserved_ports);
	bpf_loop(1024, reserved_step, 0, 0);
	result.took = bpf_ktime_get_ns() - result.took;
	return 0;
}

// ---- Owners

// Where a walk over all processes is, and in one of them.
struct process {
	__u64 task, head, table, open, bits, operations, start, behind;
	__u32 pid, words, word, from;
} process;

static __always_inline __u32 lowest_bit(__u64 bits)
{
	__u32 n = 0;
	bits &= -bits;
	if (bits & 0xffffffff00000000ull) n += 32;
	if (bits & 0xffff0000ffff0000ull) n += 16;
	if (bits & 0xff00ff00ff00ff00ull) n += 8;
	if (bits & 0xf0f0f0f0f0f0f0f0ull) n += 4;
	if (bits & 0xccccccccccccccccull) n += 2;
	if (bits & 0xaaaaaaaaaaaaaaaaull) n += 1;
	return n;
}

// A descriptor is a socket's if its operations are those of one of ours.
static __always_inline long descriptor_step(struct process *p)
{
	__u64 bits = p->bits;
	__u32 fd = (p->word - 1) * 64 + lowest_bit(bits), i = result.count;
	if (i >= DESCRIPTORS)
		return 1;
	p->bits = bits & (bits - 1);
	__u64 at = WORD(p->table + 8ull * fd);
	if (!at)
		return 0;
	struct file *file = CAST(struct file, at);
	if (WORD(&file->f_op) != p->operations)
		return 0;
	__u32 inode = READ(CAST(struct inode, WORD(&file->f_inode))->i_ino);
	if (request.filter && !(shared.sought[inode >> 6 & (SOUGHT / 64 - 1)] >> (inode & 63) & 1))
		return 0;
	struct descriptor *d = &shared.descriptors[INDEX(i, DESCRIPTORS)];
	d->pid = p->pid;
	d->fd = fd;
	d->inode = inode;
	result.count = i + 1;
	return 0;
}

static __always_inline long process_step(struct process *p)
{
	p->task = CONTAINER(WORD(p->task + OFFSET(struct task_struct, tasks)), struct task_struct, tasks);
	if (p->task == p->head) {
		result.done = 1;
		return 1;
	}
	struct task_struct *t = CAST(struct task_struct, p->task);
	__u64 start = READ(t->start_boottime);
	__u32 pid = READ(t->tgid), word = 0;
	if (p->behind) { // processes are listed in the order of their birth
		if (start < p->behind || (start == p->behind && pid != p->pid))
			return 0;
		if (start == p->behind)
			word = p->from;
		p->behind = 0;
	}
	p->start = start;
	p->pid = pid;
	p->word = word;
	p->words = 0;
	__u64 files = WORD(&t->files);
	if (!files)
		return 0;
	struct fdtable *table = CAST(struct fdtable, WORD(&CAST(struct files_struct, files)->fdt));
	p->table = WORD(&table->fd);
	p->open = WORD(&table->open_fds);
	p->words = READ(table->max_fds) / 64;
	return 0;
}

static long file_step(__u32 i, void *context)
{
	struct process *p = &process;
	if (p->bits)
		return descriptor_step(p);
	if (result.count >= request.rows)
		return 1;
	if (p->word < p->words) {
		p->bits = WORD(p->open + 8ull * p->word);
		p->word++;
		return 0;
	}
	return process_step(p);
}

static long find_first_process(__u32 i, void *context)
{
	struct task_struct *t = CAST(struct task_struct, process.task);
	if (!READ(t->tgid))
		return 1;
	process.task = WORD(&t->real_parent);
	return 0;
}

// walk_files goes on at the word of open_fds of the process that start and pid
// name, and says where the next call is to go on.
SEC("raw_tp") int walk_files(void *context)
{
	struct process *p = &process;
	__builtin_memset(p, 0, sizeof(*p));
	result.took = bpf_ktime_get_ns();
	result.count = result.done = 0;
	p->operations = WORD(&own_file(request.descriptor)->f_op);
	p->task = bpf_get_current_task();
	bpf_loop(1 << 15, find_first_process, 0, 0); // pid 0 is an ancestor of all and heads the list
	p->head = p->task;
	p->behind = request.start;
	p->pid = request.pid;
	p->from = request.word;
	bpf_loop(request.steps, file_step, 0, 0);
	result.pid = p->pid;
	if (p->behind) { // not even there: the same again, with more steps
		result.start = p->behind;
		result.word = p->from;
	} else {
		result.start = p->start;
		result.word = p->bits ? p->word - 1 : p->word;
	}
	result.took = bpf_ktime_get_ns() - result.took;
	return 0;
}

// ---- Events

struct event {
	__u64 time, cgroup;
	__u64 local[2], remote[2];
	__u32 netns, pid;
	__u16 local_port, remote_port;
	__u8 kind, protocol, pad[2];
	char name[16];
};
struct event *layout; // has the compiler describe it, for our tests

// Kinds, as source.EventKind.
enum { CLOSED, CONNECT_FAILED, BIND_FAILED, BOUND_FIRST, ADDRESS_REFUSED };

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring SEC(".maps");

// The threads whose connect() found no port, by low bits of their ids, so that
// it is told once: with TOLD until the socket changes its state, and then until
// the call returns.
#define FAILED 1024
#define TOLD (1ull << 63)
__u64 failed[FAILED];

static __always_inline __u64 *failure_of(__u64 thread) { return &failed[INDEX((__u32)thread, FAILED)]; }

// new_event begins an event about a socket. A kernel thread, as that which
// closes for MPTCP, is nobody's process.
static __always_inline struct event *new_event(__u8 kind, __u64 at)
{
	struct event *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&shared.lost, 1);
		return 0;
	}
	struct sock *sk = CAST(struct sock, at);
	struct sock_common *sc = CAST(struct sock_common, at);
	COPY_COMMON(copy, sc);
	e->time = bpf_ktime_get_boot_ns();
	e->cgroup = bpf_get_current_cgroup_id();
	e->netns = READ(CAST(struct net, COMMON(skc_net.net))->ns.inum);
	e->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(e->name, sizeof(e->name));
	if (READ(CAST(struct task_struct, bpf_get_current_task())->flags) & 0x200000) // PF_KTHREAD
		e->pid = 0;
	e->kind = kind;
	e->protocol = READ(sk->sk_protocol);
	e->local_port = 0; // what is there of a connect() that failed is of one before
	if (kind != CONNECT_FAILED)
		e->local_port = __builtin_bswap16(READ(CAST(struct inet_sock, at)->inet_sport));
	e->remote_port = __builtin_bswap16(COMMON(skc_dport));
	if (COMMON(skc_family) == AF_INET6) {
		COMMON_ADDRESS(e->local, skc_v6_rcv_saddr);
		COMMON_ADDRESS(e->remote, skc_v6_daddr);
	} else {
		e->local[0] = e->remote[0] = 0;
		e->local[1] = 0xffff0000ull | (__u64)COMMON(skc_rcv_saddr) << 32;
		e->remote[1] = 0xffff0000ull | (__u64)COMMON(skc_daddr) << 32;
	}
	return e;
}

static __always_inline int tell(__u8 kind, __u64 sk)
{
	struct event *e = new_event(kind, sk);
	if (e)
		bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

// The transitions that matter, of some ten in the life of a connection.
SEC("raw_tp/inet_sock_set_state") int set_state(__u64 *args)
{
	__u64 sk = args[0], thread = bpf_get_current_pid_tgid();
	__s32 from = args[1], to = args[2];
	if (!(from == ESTABLISHED && to == FIN_WAIT1) && !(from == SYN_SENT && to == CLOSE) && !(from == CLOSE && to == SYN_SENT))
		return 0;
	if (READ(CAST(struct sock, sk)->sk_protocol) != TCP)
		return 0;
	if (from == ESTABLISHED)
		return tell(CLOSED, sk);
	if (from == CLOSE)
		return READ(CAST(struct sock_common, sk)->skc_num) ? tell(BOUND_FIRST, sk) : 0;
	if (READ(CAST(struct inet_sock, sk)->inet_sport))
		return 0;
	bool told = *failure_of(thread) == (thread | TOLD);
	*failure_of(thread) = thread;
	return told ? 0 : tell(CONNECT_FAILED, sk);
}

// What looks for a port for connect(), and says EADDRNOTAVAIL where there is
// none. It is more exact than the state: a socket whose connect() was refused
// before keeps the port that it had then.
static __always_inline int hash_connect(__u64 sk, __s32 error)
{
	__u64 thread = bpf_get_current_pid_tgid();
	if (error != -99)
		return 0;
	*failure_of(thread) = thread | TOLD;
	return tell(CONNECT_FAILED, sk);
}

SEC("fexit/inet_hash_connect") int connect4(__u64 *args) { return hash_connect(args[1], args[2]); }
SEC("fexit/inet6_hash_connect") int connect6(__u64 *args) { return hash_connect(args[1], args[2]); }

// What looks for a port for bind(), asked for any.
SEC("fexit/inet_csk_get_port") int bind_tcp(__u64 *args)
{
	return (__u16)args[1] == 0 && (__s32)args[2] ? tell(BIND_FAILED, args[0]) : 0;
}

SEC("fexit/udp_lib_get_port") int bind_udp(__u64 *args)
{
	return (__u16)args[1] == 0 && (__s32)args[3] ? tell(BIND_FAILED, args[0]) : 0;
}

// address_refused tells of an address that this host does not have: the local
// one of bind(), and of connect() what it was to reach.
static __always_inline int address_refused(__u64 socket, __u64 address, bool bind)
{
	struct event *e = new_event(ADDRESS_REFUSED, WORD(&CAST(struct socket, socket)->sk));
	if (!e)
		return 0;
	__u64 first = WORD(address), ip[2] = { 0, 0xffff0000ull | first >> 32 << 32 };
	if ((__u16)first == AF_INET6)
		TWO_WORDS(ip, (void *)(address + 8));
	__u16 port = __builtin_bswap16(first >> 16);
	__u64 *to = bind ? e->local : e->remote;
	to[0] = ip[0];
	to[1] = ip[1];
	if (bind)
		e->local_port = port;
	else
		e->remote_port = port;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("fexit/inet_stream_connect") int connect_stream(__u64 *args)
{
	__u64 thread = bpf_get_current_pid_tgid();
	__u64 *failure = failure_of(thread);
	if ((*failure & ~TOLD) == thread) { // that was it
		*failure = 0;
		return 0;
	}
	return (__s32)args[4] == -99 ? address_refused(args[0], args[1], false) : 0;
}

SEC("fexit/inet_bind") int bind4(__u64 *args) { return (__s32)args[3] == -99 ? address_refused(args[0], args[1], true) : 0; }
SEC("fexit/inet6_bind") int bind6(__u64 *args) { return (__s32)args[3] == -99 ? address_refused(args[0], args[1], true) : 0; }

char _license[] SEC("license") = "Dual MIT/GPL";
