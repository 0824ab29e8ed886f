package demo

import (
	"fmt"
	"time"

	"ephtop/source"
)

// busy is a gateway that holds more connections than the range has ports: the
// kernel gives a port away again for each destination, so that the worst of
// them counts, and it is far from full.
func busy(m *machine) {
	m.settings.Reserved = []source.PortRange{{Low: 50051, High: 50060}}
	m.usable.SetUsable(&m.settings)
	m.furniture()
	envoy := m.daemon(881, "envoy", 101, "envoy", "/usr/local/bin/envoy -c /etc/envoy/envoy.yaml --concurrency 16")
	relay := m.daemon(1460, "relay", 1006, "relay", "/srv/relay/bin/relay --shards 24")
	search := m.daemon(1733, "search", 1007, "search", "/usr/bin/java -Xmx8g -jar /srv/search/search.jar")
	session := m.daemon(1902, "session", 1008, "session", "/srv/session/bin/session")
	m.contain(envoy, "edge")
	m.contain(search, "search")
	front := m.listen(envoy, "::", 443, 4096)
	m.visitors(front, 40, 30*time.Second)
	spread := func(p *process, network string, hosts int, port uint16, from, to int, life time.Duration) {
		for i := range hosts {
			upstream := m.reach(fmt.Sprintf("%s.%d", network, 10+i), 700*time.Microsecond+time.Duration(i)*20*time.Microsecond, 0)
			part := 0.7 + 0.6*m.random.Float64()
			m.keep(client{process: p, from: m.local, to: upstream, port: port, life: life, byPeer: 0.5}, func() int {
				return int(part * (float64(from) + float64(to-from)*m.filled()))
			})
		}
	}
	spread(envoy, "10.0.16", 36, 8443, 380, 760, 8*time.Minute)
	spread(relay, "10.0.24", 24, 9443, 300, 520, 10*time.Minute)
	spread(search, "10.0.32", 12, 9200, 120, 240, 10*time.Minute)
	spread(session, "10.0.40", 8, 6379, 150, 380, 15*time.Minute)
}

// filled is how far busy has grown, from 0 to 1.
func (m *machine) filled() float64 {
	const grows = 80 * time.Second
	return min(1, max(0, float64(m.now)/float64(grows)))
}
