package demo

import (
	"time"

	"ephtop/source"
)

const (
	// answersStop is when a new rule of the firewall drops what comes back.
	answersStop = 20 * time.Second
	// patience is how long the service waits for a connection, and for an
	// answer.
	patience = 30 * time.Second
)

// blocked is a service whose payment provider does not answer any more: its
// SYNs are sent again and again. A second service, beside it, does well.
func blocked(m *machine) {
	m.furniture()
	envoy := m.daemon(881, "envoy", 101, "envoy", "/usr/local/bin/envoy -c /etc/envoy/envoy.yaml")
	checkout := m.daemon(2710, "checkout", 1003, "checkout", "/srv/checkout/bin/checkout --provider https://203.0.113.40")
	stock := m.daemon(2834, "stock", 1005, "stock", "/usr/bin/java -jar /srv/stock/stock.jar")
	m.contain(envoy, "edge")
	m.contain(stock, "stock")
	front := m.listen(envoy, "::", 443, 4096)
	m.listen(checkout, "127.0.0.1", 8080, 4096)
	m.listen(stock, "127.0.0.1", 8090, 100)
	provider := m.reach("203.0.113.40", 24*time.Millisecond, 0)
	database := m.reach("10.0.9.2", 400*time.Microsecond, 0)
	cache := m.reach("10.0.9.3", 300*time.Microsecond, 0)
	self := addr("127.0.0.1")
	m.visitors(front, 6, 25*time.Second)
	m.keep(client{process: envoy, from: self, to: self, port: 8080, life: 10 * time.Minute}, exactly(20))
	m.keep(client{process: envoy, from: self, to: self, port: 8090, life: 10 * time.Minute}, exactly(8))
	m.keep(client{process: checkout, from: m.local, to: database, port: 5432, life: time.Hour}, exactly(20))
	m.keep(client{process: stock, from: m.local, to: database, port: 5432, life: time.Hour}, exactly(10))
	m.keep(client{process: stock, from: m.local, to: cache, port: 6379, life: time.Hour}, exactly(8))

	m.often(always(5), func() { m.pay(checkout, provider) })
	m.at(answersStop, func() {
		way := m.paths[provider]
		way.dropped = true
		m.paths[provider] = way
	})
}

// pay opens a connection to the provider, sends a payment, and lets the
// provider close. What does not answer in time is given up.
func (m *machine) pay(p *process, provider source.Addr) {
	s, err := m.connect(p, m.local, provider, 443)
	if err != nil {
		return
	}
	s.onConnect = func() {
		m.send(s, 1400, func() {
			m.later(s, m.about(800*time.Millisecond), func() {
				if !m.path(provider).dropped {
					m.fin(s)
				}
			})
		})
	}
	s.onEOF = func() { m.closeSoon(s) }
	m.after(patience, func() {
		if s.owner != nil {
			m.close(s)
		}
	})
}
