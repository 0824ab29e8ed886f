package demo

import (
	"math"
	"time"
)

// The timeline of no-pool.
const (
	trafficRises = 10 * time.Second
	trafficPeaks = 40 * time.Second
	poolIsOn     = 85 * time.Second
)

// noPool is a service that opens a connection to its database for each
// request. When its traffic rises past what the range bears (470 closes a
// second), the ports towards the database run out, until a pool is switched on.
func noPool(m *machine) {
	m.trace = true
	m.furniture()
	envoy := m.daemon(881, "envoy", 101, "envoy", "/usr/local/bin/envoy -c /etc/envoy/envoy.yaml")
	api := m.daemon(3120, "api", 1001, "api", "/srv/api/bin/api --listen :8080 --db postgres://10.0.9.2:5432/shop")
	worker := m.daemon(3377, "api", 1001, "worker", "/usr/bin/python3 -m celery -A shop.worker worker")
	webhooks := m.daemon(4102, "www-data", 33, "node", "node /srv/webhooks/index.js")
	m.contain(envoy, "edge")
	m.contain(webhooks, "webhooks")
	front := m.listen(envoy, "::", 443, 4096)
	m.listen(api, "127.0.0.1", 8080, 4096)
	m.listen(webhooks, "127.0.0.1", 3000, 511)
	database := m.reach("10.0.9.2", 400*time.Microsecond, 0)
	cache := m.reach("10.0.9.3", 300*time.Microsecond, 0)
	broker := m.reach("10.0.9.11", 500*time.Microsecond, 0)
	telemetry := m.reach("10.0.9.40", 700*time.Microsecond, 0)
	partner := m.reach("203.0.113.80", 38*time.Millisecond, 30*time.Millisecond)
	self := addr("127.0.0.1")

	m.visitors(front, 8, 25*time.Second)
	m.keep(client{process: envoy, from: self, to: self, port: 8080, life: 10 * time.Minute}, func() int {
		return 16 + int(m.requests()/10)
	})
	m.keep(client{process: envoy, from: m.local, to: telemetry, port: 4317, life: time.Hour}, exactly(4))
	m.keep(client{process: api, from: m.local, to: cache, port: 6379, life: time.Hour}, exactly(24))
	m.keep(client{process: api, from: m.local, to: broker, port: 9092, life: time.Hour}, exactly(3))
	m.keep(client{process: worker, from: m.local, to: database, port: 5432, life: time.Hour}, exactly(12))
	m.keep(client{process: worker, from: m.local, to: broker, port: 9092, life: time.Hour}, exactly(6))
	webhook := client{process: webhooks, from: m.local, to: partner, port: 443, life: 3 * time.Second, byPeer: 0.4}
	m.often(always(0.8), func() { _ = m.dial(&webhook, func() {}) })
	m.often(always(0.1), func() {
		m.fetch(m.spawn("root", 0, "curl", "curl -fsS http://127.0.0.1:8080/healthz"), self, 8080, 3*time.Millisecond)
	})

	query := client{process: api, from: m.local, to: database, port: 5432, life: 60 * time.Millisecond}
	m.often(func() float64 {
		if m.now >= poolIsOn {
			return 0
		}
		return m.requests()
	}, func() { _ = m.dial(&query, func() {}) })
	m.keep(client{process: api, from: m.local, to: database, port: 5432, life: 30 * time.Minute}, func() int {
		if m.now < poolIsOn {
			return 0
		}
		return 48
	})
}

// requests is the traffic of no-pool, in requests a second.
func (m *machine) requests() float64 {
	const low, high = 60, 700
	rising := float64(m.now-trafficRises) / float64(trafficPeaks-trafficRises)
	level := low + (high-low)*min(1, max(0, rising))
	return level * (1 + 0.04*math.Sin(m.now.Seconds()/3))
}
