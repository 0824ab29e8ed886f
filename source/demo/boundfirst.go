package demo

import (
	"time"

	"ephtop/source"
)

// The timeline of bound-first.
const (
	shardsAsked = 8 * time.Second
	shardsPeak  = 30 * time.Second
	shardsDone  = 95 * time.Second
)

// boundFirst is an importer that binds its sockets to its address before it
// connects them, as a client does that is told which address to come from. Each
// port is its own for every destination then: two databases share one pool,
// and when that is empty, connect() finds nothing for a search engine either
// that has nothing to do with it.
func boundFirst(m *machine) {
	m.trace = true
	m.furniture()
	nginx := m.daemon(915, "www-data", 33, "nginx", "nginx: worker process")
	importer := m.daemon(3310, "import", 1009, "importer", "/srv/importer/bin/importer --bind 10.0.7.9 --shards 10.0.9.2,10.0.9.4")
	shop := m.daemon(2834, "shop", 1005, "shop", "/usr/bin/java -jar /srv/shop/shop.jar")
	m.contain(nginx, "proxy")
	front := m.listen(nginx, "::", 443, 511)
	shards := []source.Addr{m.reach("10.0.9.2", 400*time.Microsecond, 0), m.reach("10.0.9.4", 400*time.Microsecond, 0)}
	search := m.reach("10.0.9.20", 600*time.Microsecond, 0)
	m.visitors(front, 4, 20*time.Second)
	m.keep(client{process: shop, from: m.local, to: m.reach("10.0.9.3", 300*time.Microsecond, 0), port: 6379, life: time.Hour}, exactly(16))
	ask := client{process: shop, from: m.local, to: search, port: 9200, life: 300 * time.Millisecond, byPeer: 0.5}
	m.often(always(12), func() { _ = m.dial(&ask, func() {}) })
	m.often(func() float64 {
		const low, high = 20, 640
		if m.now >= shardsDone {
			return 0
		}
		rising := float64(m.now-shardsAsked) / float64(shardsPeak-shardsAsked)
		return low + (high-low)*min(1, max(0, rising))
	}, func() { m.dialBound(importer, shards[m.random.IntN(len(shards))], 5432, 150*time.Millisecond, false) })
}

// dialBound opens a connection from a port that is bound before, and holds it
// for so long on average; its peer ends it, or the process does.
func (m *machine) dialBound(p *process, to source.Addr, port uint16, life time.Duration, byPeer bool) {
	s, err := m.bind(p, m.local, 0)
	if err != nil {
		return
	}
	m.connectBound(s, to, port)
	s.onConnect = func() { m.after(m.about(life), func() { m.part(s, byPeer, func() {}) }) }
	s.onEOF = func() { m.closeSoon(s) }
}
