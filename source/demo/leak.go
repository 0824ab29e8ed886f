package demo

import "time"

// leakBegins is when the archive begins to close its connections first: until
// then nobody notices that the service forgets to.
const leakBegins = 12 * time.Second

// leak is a service that never closes the answers that it gets. Each leaves a
// connection in CLOSE_WAIT when the server has closed it, until the process may
// open no more files.
func leak(m *machine) {
	m.furniture()
	nginx := m.daemon(915, "www-data", 33, "nginx", "nginx: worker process")
	reports := m.daemon(2240, "reports", 1004, "reports", "/usr/bin/java -jar /srv/reports/reports.jar")
	mailer := m.daemon(2391, "reports", 1004, "node", "node /srv/mailer/index.js")
	m.contain(mailer, "mailer")
	reports.files = 4096
	front := m.listen(nginx, "::", 443, 511)
	m.listen(reports, "127.0.0.1", 8081, 100)
	archive := m.reach("10.0.7.20", 900*time.Microsecond, 0)
	database := m.reach("10.0.9.2", 400*time.Microsecond, 0)
	relay := m.reach("10.0.7.25", 600*time.Microsecond, 0)
	self := addr("127.0.0.1")
	m.visitors(front, 3, 30*time.Second)
	m.keep(client{process: nginx, from: self, to: self, port: 8081, life: 4 * time.Minute}, exactly(12))
	m.keep(client{process: reports, from: m.local, to: database, port: 5432, life: time.Hour}, exactly(16))
	m.keep(client{process: mailer, from: m.local, to: database, port: 5432, life: time.Hour}, exactly(4))
	send := client{process: mailer, from: m.local, to: relay, port: 587, life: 2 * time.Second, byPeer: 0.7}
	m.often(always(1.5), func() { _ = m.dial(&send, func() {}) })

	rate := func() float64 {
		if m.now < leakBegins {
			return 0
		}
		return 24
	}
	m.often(rate, func() {
		s, err := m.connect(reports, m.local, archive, 8443)
		if err != nil {
			return // EMFILE, once the leak has eaten all files
		}
		s.onConnect = func() { m.after(m.about(4*time.Second), func() { m.fin(s) }) }
	})
}
