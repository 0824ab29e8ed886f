// The ends of system calls. Where programs cannot be attached to functions, these
// tell the same. They run for each call of these names, and have to find the
// socket by its descriptor.
#pragma once

struct call_end {
	__u64 common;
	__s64 number, returned;
};

// The first two arguments, which stand in the registers that entered the kernel.
static __noinline __u64 argument_amd64(__u64 at, __u32 i)
{
	struct pt_regs *r = CAST(struct pt_regs, at);
	return i ? READ(r->si) : READ(r->di);
}

static __noinline __u64 argument_arm64(__u64 at, __u32 i)
{
	struct pt_regs___arm64 *r = CAST(struct pt_regs___arm64, at);
	return i ? READ(r->regs[1]) : READ(r->orig_x0);
}

static __always_inline __u64 argument(__u32 i)
{
	__u64 at = (__u64)bpf_task_pt_regs(bpf_get_current_task_btf());
	return HAS(struct pt_regs___arm64, orig_x0) ? argument_arm64(at, i) : argument_amd64(at, i);
}

// socket_of_call returns the socket of TCP, UDP or MPTCP that a call was about,
// or 0.
static __always_inline __u64 socket_of_call(void)
{
	struct file *file = own_file(argument(0));
	if (!file || (READ(CAST(struct inode, WORD(&file->f_inode))->i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	__u64 socket = WORD(&file->private_data);
	__u64 sk = socket ? WORD(&CAST(struct socket, socket)->sk) : 0;
	if (!sk)
		return 0;
	__u16 family = READ(CAST(struct sock_common, sk)->skc_family), protocol = READ(CAST(struct sock, sk)->sk_protocol);
	return (family == AF_INET || family == AF_INET6) && (protocol == TCP || protocol == UDP || protocol == MPTCP) ? sk : 0;
}

static __always_inline void asked_of_call(struct asked *a)
{
	__u64 at = argument(1), first = 0;
	bpf_probe_read_user(&first, sizeof(first), (void *)at);
	asked_of(a, first);
	if (a->family == AF_INET6)
		bpf_probe_read_user(a->ip, sizeof(a->ip), (void *)(at + 8));
}

// autobind tells of a UDP socket that found no port to send from: EAGAIN, with
// none. Where it has one, its buffer is full.
static __always_inline int autobind(__u64 sk)
{
	bool has = READ(CAST(struct sock, sk)->sk_protocol) != UDP || READ(CAST(struct sock_common, sk)->skc_num);
	return has ? 0 : tell(BIND_FAILED, sk);
}

SEC("tracepoint/syscalls/sys_exit_connect") int call_connect(struct call_end *c)
{
	struct asked a = {};
	__s32 error = c->returned;
	__u64 sk = socket_of_call();
	if (!sk)
		return 0;
	if (error == -EAGAIN)
		return autobind(sk);
	if (error == -EADDRNOTAVAIL)
		asked_of_call(&a);
	return connected(sk, error, &a);
}

SEC("tracepoint/syscalls/sys_exit_bind") int call_bind(struct call_end *c)
{
	struct asked a = {};
	__s32 error = c->returned;
	if (error != -EADDRINUSE && error != -EADDRNOTAVAIL)
		return 0;
	__u64 sk = socket_of_call();
	if (!sk)
		return 0;
	asked_of_call(&a);
	return refuse(error == -EADDRINUSE ? BIND_FAILED : ADDRESS_REFUSED, sk, &a, true);
}

SEC("tracepoint/syscalls/sys_exit_listen") int call_listen(struct call_end *c)
{
	__u64 sk = (__s32)c->returned == -EADDRINUSE ? socket_of_call() : 0;
	return sk ? tell(BIND_FAILED, sk) : 0;
}

static __always_inline int sent(struct call_end *c)
{
	__u64 sk = (__s32)c->returned == -EAGAIN ? socket_of_call() : 0;
	return sk ? autobind(sk) : 0;
}

SEC("tracepoint/syscalls/sys_exit_sendto") int call_sendto(struct call_end *c) { return sent(c); }
SEC("tracepoint/syscalls/sys_exit_sendmsg") int call_sendmsg(struct call_end *c) { return sent(c); }
SEC("tracepoint/syscalls/sys_exit_sendmmsg") int call_sendmmsg(struct call_end *c) { return sent(c); }
