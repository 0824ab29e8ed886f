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

#include "access.h"
#include "shared.h"

#include "rows.h"
#include "chains.h"

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
// walk_namespaces saw. One that ends is taken off the list a grace period before
// its tables are freed (cleanup_net), and looks as it did for longer than that.
#define UNLISTED 0xdead000000000122ull // LIST_POISON2, of amd64 and arm64
static __always_inline __u64 namespace(__u32 i)
{
	struct netns *n = &shared.namespaces[INDEX(i, NAMESPACES)];
	__u64 at = addresses[INDEX(i, NAMESPACES)];
	struct net *net = CAST(struct net, at);
	__u64 cookie = READ(net->net_cookie);
	__u32 inode = READ(net->ns.inum);
	return cookie == n->cookie && inode == n->inode && WORD(&net->list.prev) != UNLISTED ? at : 0;
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
	if (c->walking && !c->first && !c->first_port && result.count >= ROWS) { // a chain that no call has room for
		result.cut = 1;
		result.bucket = c->bucket + 1;
	} else if (c->walking) { // no room, or a chain without an end
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

// own_file returns a descriptor of the caller, or 0.
static __always_inline struct file *own_file(__u32 fd)
{
	struct task_struct *me = CAST(struct task_struct, bpf_get_current_task());
	struct files_struct *files = CAST(struct files_struct, WORD(&me->files));
	struct fdtable *table = CAST(struct fdtable, WORD(&files->fdt));
	return fd < READ(table->max_fds) ? CAST(struct file, WORD(WORD(&table->fd) + 8ull * fd)) : 0;
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

#include "bind.h"
#include "events.h"
#include "calls.h"
#include "namespaces.h"
#include "owners.h"

char _license[] SEC("license") = "Dual MIT/GPL";