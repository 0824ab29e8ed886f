package demo

import (
	"time"

	"ephtop/source"
)

// The timeline of snat: from when on the subscribers are started, and when they
// begin to share their connections.
const (
	subscribers  = 6 * time.Second
	sharing      = 75 * time.Second
	sharingTakes = 6 * time.Second
)

// The rule by which the host translates: --to-source 203.0.113.7:20000-36383.
const (
	natLow   = 20000
	natPorts = 16384
)

var natAddress = addr("203.0.113.7")

// translating is a host that translates for its containers. Two of them subscribe
// to one service, a connection for each of their subscribers: each is far from the
// end of its own range, and together they use up the ports of the translated
// address. Then they share their connections.
var translating = []space{
	{kind: source.ScopeHost, netns: 4026531840, pid: 1, local: "10.0.8.9", begin: gatewayHost},
	{name: "ticker", kind: source.ScopeContainer, netns: 4026532453, pid: 31100, local: "172.18.0.2", begin: tickerContainer, nat: true},
	{name: "alerts", kind: source.ScopeContainer, netns: 4026532528, pid: 31700, local: "172.18.0.3", begin: alertsContainer, nat: true},
	{name: "web", kind: source.ScopeContainer, netns: 4026532603, pid: 32300, local: "172.18.0.4", begin: shopContainer, nat: true},
}

func gatewayHost(m *machine) {
	m.furniture()
	docker := m.daemon(998, "root", 0, "dockerd", "/usr/bin/dockerd -H fd://")
	images := m.reach("203.0.113.60", 18*time.Millisecond, 20*time.Millisecond)
	m.keep(client{process: docker, from: m.local, to: images, port: 443, life: 40 * time.Second, byPeer: 0.3}, exactly(2))
}

func tickerContainer(m *machine) {
	ticker := m.daemon(31100, "1001", 1001, "ticker", "/srv/ticker/bin/ticker --upstream wss://93.184.216.34/quotes")
	m.listen(ticker, "0.0.0.0", 8080, 4096)
	m.subscribe(ticker, 3000, 190)
}

func alertsContainer(m *machine) {
	alerts := m.daemon(31700, "1002", 1002, "alerts", "/usr/bin/python3 /srv/alerts/alerts.py")
	m.subscribe(alerts, 1200, 90)
}

// shopContainer has a pool, and all is well with it.
func shopContainer(m *machine) {
	web := m.daemon(32300, "101", 101, "node", "node /srv/shop/index.js")
	m.listen(web, "0.0.0.0", 3000, 511)
	payments := m.reach("198.51.100.20", 24*time.Millisecond, 0)
	m.keep(client{process: web, from: m.local, to: payments, port: 443, life: 20 * time.Minute}, exactly(48))
	mail := client{process: web, from: m.local, to: m.reach("198.51.100.25", 30*time.Millisecond, 0), port: 587, life: 2 * time.Second, byPeer: 0.7}
	m.often(always(0.6), func() { _ = m.dial(&mail, func() {}) })
}

// subscribe has a process that holds some connections open more, which stay, so many
// a second, as long as few enough of them wait for an answer; in the end it closes
// most of them, and has the others carry all.
func (m *machine) subscribe(p *process, first int, rate float64) {
	const waiting, shared = 250, 12
	to := m.reach("93.184.216.34", 16*time.Millisecond, 0)
	asked := 0
	var held []*socket
	open := func() {
		if asked >= waiting {
			return
		}
		s, err := m.connect(p, m.local, to, 443)
		if err != nil {
			return
		}
		asked++
		s.onConnect = func() {
			asked--
			held = append(held, s)
		}
		s.onError = func(error) { asked-- }
	}
	m.often(func() float64 {
		if m.now < subscribers || m.now >= sharing {
			return 0
		}
		return rate
	}, open)
	for range first {
		m.at(-time.Duration(1+m.random.Int64N(int64(before-time.Second))), open)
	}
	m.at(sharing, func() {
		for _, s := range held[shared:] {
			m.after(time.Duration(m.random.Int64N(int64(sharingTakes))), func() { m.close(s) })
		}
		held = held[:shared]
	})
	// What waits for an answer still gets one then, and is closed too.
	m.every(sharing+sharingTakes, time.Second, func(int) {
		for _, s := range held[shared:] {
			m.close(s)
		}
		held = held[:shared]
	})
}
