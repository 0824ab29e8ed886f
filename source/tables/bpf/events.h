// What happens to sockets.
#pragma once

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
