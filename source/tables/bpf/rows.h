// A row is made of a socket.
#pragma once

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
	r->flags |= READ(sk->sk_userlocks) & (CONNECT_BIND | BIND_PORT);
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
	__u8 copy[128];
	bpf_probe_read_kernel(copy, sizeof(copy), (void *)(at + OFFSET(struct inet_timewait_sock, tw_mark)));
#define TW(type, offset) (*(type *)(copy + ((offset) - OFFSET(struct inet_timewait_sock, tw_mark))))
#else
#define TW(type, offset) ((type)WORD(at + (offset)))
#endif
	r->state = TW(__u8, OFFSET(struct inet_timewait_sock, tw_substate));
	r->timer = TIMEWAIT;
	r->expires = left(c, TW(__u64, OFFSET(struct inet_timewait_sock, tw_timer.expires)));
	if (TW(__u32, OFFSET(struct tcp_timewait_sock, tw_ts_recent_stamp)))
		r->flags |= STAMPS;
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
