// A walk over a table of chains of sockets.
#pragma once

// next_chain takes the next chain from the queue, or looks for more of them in
// a few buckets.
enum { LOOKING, FULL, CHAIN, END };
#ifdef PROBE // 512 bytes of the table in one read; a bucket has 24 at most but where locks are debugged
#define BUCKETS 21
#define IS_READ(i) (((i) + 1) * size <= 512)
#define HEAD(i) (queue.words[((i) * size + offset) >> 3 & 127])
#else
#define BUCKETS 32
#define IS_READ(i) true
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
		if (c->from > c->mask || n >= QUEUE || !IS_READ(i))
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
		sum += CAST(struct inet_timewait_sock, at)->tw_timer.expires + CAST(struct tcp_timewait_sock, at)->tw_ts_recent_stamp;
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
