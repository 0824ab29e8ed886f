// The bind buckets: ports that connect() skips, and sockets that are bound and no
// more.
#pragma once

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
