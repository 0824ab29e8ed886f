// The network namespaces and their settings.
#pragma once

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
