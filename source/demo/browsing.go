package demo

import (
	"time"

	"ephtop/source"
)

// A page is opened now and then, and its connections are closed when nothing
// has gone over them for a while.
const (
	firstPage  = 4 * time.Second
	nextPage   = 100 * time.Second
	pageIdle   = 18 * time.Second
	perWebsite = 6 // a browser's connections to one host over HTTP/1.1
)

// browsing is a person at a laptop. Each page takes six ports: they live, they
// wait for a minute, and they come back.
func browsing(m *machine) {
	resolved := m.daemon(611, "systemd-resolve", 991, "systemd-resolve", "/usr/lib/systemd/systemd-resolved")
	firefox := m.daemon(5210, "ada", 1000, "firefox", "/usr/lib/firefox/firefox")
	mail := m.daemon(5588, "ada", 1000, "thunderbird", "/usr/lib/thunderbird/thunderbird")
	ssh := m.daemon(6120, "ada", 1000, "ssh", "ssh build-01.example")
	m.listen(resolved, "127.0.0.53", 53, 4096)
	m.receive(resolved, "127.0.0.53", 53)
	m.receive(m.daemon(702, "avahi", 105, "avahi-daemon", "avahi-daemon: running [demo-laptop.local]"), "0.0.0.0", 5353)
	router := m.reach("192.168.1.1", 2*time.Millisecond, 0)
	imap := m.reach("203.0.113.25", 28*time.Millisecond, 0)
	push := m.reach("198.51.100.77", 31*time.Millisecond, 0)
	build := m.reach("198.51.100.22", 24*time.Millisecond, 0)
	m.keep(client{process: mail, from: m.local, to: imap, port: 993, life: 5 * time.Hour}, exactly(2))
	m.keep(client{process: firefox, from: m.local, to: push, port: 443, life: 5 * time.Hour}, exactly(1))
	m.keep(client{process: ssh, from: m.local, to: build, port: 22, life: 5 * time.Hour}, exactly(1))
	m.often(always(0.4), func() { m.lookUp(resolved, router) })

	sites := []source.Addr{
		m.reach("203.0.113.10", 22*time.Millisecond, 1500*time.Millisecond),
		m.reach("203.0.113.44", 35*time.Millisecond, 40*time.Millisecond),
		m.reach("198.51.100.5", 18*time.Millisecond, 2500*time.Millisecond),
	}
	m.every(firstPage, nextPage, func(n int) { m.page(firefox, sites[n%len(sites)]) })
	m.every(38*time.Second, nextPage, func(int) {
		curl := m.contain(m.spawn("ada", 1000, "curl", "curl -LO https://downloads.example/ephtop.tar.gz"), "devbox")
		m.fetch(curl, sites[1], 443, 6*time.Second)
	})
}

// page loads a page: a name is looked up, one connection asks for the page,
// and the others follow when the browser sees what else is on it.
func (m *machine) page(browser *process, site source.Addr) {
	m.lookUp(browser, addr("127.0.0.53"))
	m.talk(browser, addr("203.0.113.90"), 443, 45*time.Second) // its videos come over QUIC
	for i := range perWebsite {
		wait := 30 * time.Millisecond
		if i > 0 {
			wait = 400*time.Millisecond + time.Duration(i)*350*time.Millisecond
		}
		m.after(wait, func() { m.idleOut(browser, site, time.Duration(i)*time.Second) })
	}
}

// idleOut opens a connection that the browser closes some time later.
func (m *machine) idleOut(browser *process, site source.Addr, more time.Duration) {
	s, err := m.connect(browser, m.local, site, 443)
	if err != nil {
		return
	}
	s.onConnect = func() {
		m.after(pageIdle+more, func() {
			if s.State == source.Established {
				m.close(s)
			}
		})
	}
	s.onEOF = func() { m.closeSoon(s) }
}
