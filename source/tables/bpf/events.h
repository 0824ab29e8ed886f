// What happens to sockets.
#pragma once

struct event {
	__u64 time, cgroup, cookie;
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

// The sockets whose connect() found no port, or changed its state as if, by low
// bits of the thread: so that it is told once, by what knows it first, and is
// known still when the call returns.
enum { NOT_TOLD, TOLD, TOLD_AHEAD }; // of the change of state
#define FAILED 1024
struct failure { __u64 sk, told; } failed[FAILED];

static __always_inline struct failure *failure_of_thread(void) { return &failed[INDEX((__u32)bpf_get_current_pid_tgid(), FAILED)]; }

#define MAX_PID_NS_LEVEL 32
// pid_of is a process as the caller's /proc calls it, 0 where that does not know
// it. It has a number in each pid namespace from the first to its own.
static __noinline __u32 pid_of(__u64 address)
{
	struct task_struct *task = CAST(struct task_struct, address);
	if (READ(task->flags) & 0x200000) // PF_KTHREAD
		return 0;
	if (!shared.pid_namespace)
		return READ(task->tgid);
	__u64 leader = WORD(&task->group_leader), pid = WORD(&CAST(struct task_struct, leader)->thread_pid);
	if (!pid)
		return 0;
	__u32 level = READ(CAST(struct pid, pid)->level);
	pid += OFFSET(struct pid, numbers);
	for (__u32 i = 0; i <= MAX_PID_NS_LEVEL && i <= level; i++) {
		struct upid *number = CAST(struct upid, pid + i * SIZE(struct upid));
		if (READ(CAST(struct pid_namespace, WORD(&number->ns))->ns.inum) == shared.pid_namespace)
			return READ(number->nr);
		FORGET();
	}
	return 0;
}

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
	struct net *net = CAST(struct net, COMMON(skc_net.net));
	e->netns = READ(net->ns.inum);
	e->cookie = READ(net->net_cookie);
	e->pid = pid_of(bpf_get_current_task());
	bpf_get_current_comm(e->name, sizeof(e->name));
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
	__u64 sk = args[0];
	__s32 from = args[1], to = args[2];
	if (!(from == ESTABLISHED && to == FIN_WAIT1) && !(from == SYN_SENT && to == CLOSE) && !(from == CLOSE && to == SYN_SENT))
		return 0;
	if (READ(CAST(struct sock, sk)->sk_protocol) != TCP)
		return 0;
	if (from == ESTABLISHED)
		return tell(CLOSED, sk);
	if (from == CLOSE)
		return READ(CAST(struct sock_common, sk)->skc_num) ? tell(BOUND_FIRST, sk) : 0;
	struct failure *f = failure_of_thread();
	bool ahead = f->sk == sk && f->told == TOLD_AHEAD;
	// One with a port was refused by the peer, or has the port of an attempt before.
	bool port = READ(CAST(struct inet_sock, sk)->inet_sport);
	f->sk = sk;
	f->told = ahead || !port;
	return ahead || port ? 0 : tell(CONNECT_FAILED, sk);
}

// asked is what bind() or connect() was given.
struct asked { __u64 ip[2]; __u16 family, port; };

static __always_inline void asked_of(struct asked *a, __u64 first)
{
	a->family = first;
	a->port = __builtin_bswap16(first >> 16);
	a->ip[0] = 0;
	a->ip[1] = 0xffff0000ull | first >> 32 << 32;
}

// refuse tells of a call that failed: of bind() with the local end that was
// asked for, of connect() with the remote one.
static __always_inline int refuse(__u8 kind, __u64 sk, struct asked *a, bool bind)
{
	struct event *e = new_event(kind, sk);
	if (!e)
		return 0;
	__u64 *to = bind ? e->local : e->remote;
	if (!bind)
		e->local_port = 0; // that of another attempt, or taken for this one in vain
	if (a->family) {
		to[0] = a->ip[0];
		to[1] = a->ip[1];
		*(bind ? &e->local_port : &e->remote_port) = a->port;
	}
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

// connected is the end of connect(). EADDRNOTAVAIL means that the address is
// not there, where it does not mean that a port was not: then the state of a TCP
// socket has changed. One of MPTCP has another do it.
static __always_inline int connected(__u64 sk, __s32 error, struct asked *a)
{
	struct failure *f = failure_of_thread();
	bool mptcp = READ(CAST(struct sock, sk)->sk_protocol) == MPTCP;
	bool changed = f->sk == sk || (mptcp && f->told), told = changed && f->told;
	if (mptcp || error != -EADDRNOTAVAIL) // else the call may be part of one of MPTCP
		f->told = NOT_TOLD;
	if (changed)
		f->sk = 0;
	if (error != -EADDRNOTAVAIL || told)
		return 0;
	return refuse(changed ? CONNECT_FAILED : ADDRESS_REFUSED, sk, a, false);
}

// The functions of the kernel that look for a port, or for an address. First
// what looks for a port for connect(), and says EADDRNOTAVAIL where there is
// none.
static __always_inline int hash_connect(__u64 sk, __s32 error)
{
	if (error != -EADDRNOTAVAIL)
		return 0;
	struct failure *f = failure_of_thread();
	f->sk = sk;
	f->told = TOLD_AHEAD;
	return tell(CONNECT_FAILED, sk);
}

SEC("fexit/inet_hash_connect") int connect4(__u64 *args) { return hash_connect(args[1], args[2]); }
SEC("fexit/inet6_hash_connect") int connect6(__u64 *args) { return hash_connect(args[1], args[2]); }

// What looks for the port of bind() and listen(), for any where that is 0. The
// socket has the address already.
static __always_inline int get_port(__u64 sk, __u16 port, __s32 error)
{
	if (!error)
		return 0;
	struct event *e = new_event(BIND_FAILED, sk);
	if (!e)
		return 0;
	e->local_port = port;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("fexit/inet_csk_get_port") int bind_tcp(__u64 *args) { return get_port(args[0], args[1], args[2]); }
SEC("fexit/udp_lib_get_port") int bind_udp(__u64 *args) { return get_port(args[0], args[1], args[3]); }

static __always_inline void asked_of_kernel(struct asked *a, __u64 address)
{
	asked_of(a, WORD(address));
	if (a->family == AF_INET6)
		TWO_WORDS(a->ip, (void *)(address + 8));
}

static __always_inline int function_connected(__u64 socket, __u64 address, __s32 error)
{
	struct asked a;
	asked_of_kernel(&a, address);
	return connected(WORD(&CAST(struct socket, socket)->sk), error, &a);
}

static __always_inline int function_bound(__u64 socket, __u64 address, __s32 error)
{
	struct asked a;
	if (error != -EADDRNOTAVAIL)
		return 0;
	asked_of_kernel(&a, address);
	return refuse(ADDRESS_REFUSED, WORD(&CAST(struct socket, socket)->sk), &a, true);
}

SEC("fexit/inet_stream_connect") int connect_stream(__u64 *args) { return function_connected(args[0], args[1], args[4]); }
SEC("fexit/inet_dgram_connect") int connect_datagram(__u64 *args) { return function_connected(args[0], args[1], args[4]); }
SEC("fexit/inet_bind") int bind4(__u64 *args) { return function_bound(args[0], args[1], args[3]); }
SEC("fexit/inet6_bind") int bind6(__u64 *args) { return function_bound(args[0], args[1], args[3]); }
