package demo

import (
	"time"

	"ephtop/source"
)

// The timeline of containers.
const (
	ordersRise  = 5 * time.Second
	ordersPeak  = 35 * time.Second
	jobBegins   = 25 * time.Second
	runnerDies  = 45 * time.Second
	nodePodsNet = "10.244.1."
)

// node is a host of containers: pods, containers of a plain engine, a namespace
// made by hand, one of a unit, and one that nobody has named. One pod runs out
// of ports, a second is at 30 %, a job begins that binds before it connects,
// and a container ends.
var node = []space{
	{kind: source.ScopeHost, netns: 4026531840, pid: 1, local: "10.0.8.7", begin: nodeHost},
	{name: "shop/api-7d9f4", kind: source.ScopePod, netns: 4026532453, pid: 44100, local: nodePodsNet + "17", begin: ordersPod},
	{name: "shop/web-5c6db", kind: source.ScopePod, netns: 4026532528, pid: 44700, local: nodePodsNet + "18", begin: webPod},
	{name: "shop/worker-6b8fd", kind: source.ScopePod, netns: 4026532603, pid: 45300, local: nodePodsNet + "21", begin: workerPod},
	{name: "monitoring/prometheus-0", kind: source.ScopePod, netns: 4026532678, pid: 45900, local: nodePodsNet + "9", begin: prometheusPod},
	{name: "kube-system/coredns-x7k2p", kind: source.ScopePod, netns: 4026532753, pid: 46500, local: nodePodsNet + "2", begin: corednsPod},
	{name: "registry", kind: source.ScopeContainer, netns: 4026532828, pid: 47100, local: "172.17.0.2", begin: registryContainer},
	{name: "redis", kind: source.ScopeContainer, netns: 4026532903, pid: 47700, local: "172.17.0.3", begin: redisContainer},
	{name: "ci-runner", kind: source.ScopeContainer, netns: 4026532978, pid: 48300, local: "172.17.0.5", until: runnerDies, begin: runnerContainer},
	{name: "backup.service", kind: source.ScopeUnit, netns: 4026533053, pid: 48900, local: "10.0.8.70", begin: backupUnit},
	{name: "vpn-blue", kind: source.ScopeNamed, netns: 4026533128, pid: 49500, local: "10.99.0.2", begin: vpnNamespace},
	{kind: source.ScopeUnnamed, netns: 4026533203, pid: 50100, local: "192.0.2.30", begin: unnamedNamespace},
	{name: "shop/migrate-x2k9v", kind: source.ScopePod, netns: 4026533278, pid: 50700, local: nodePodsNet + "40", from: jobBegins, begin: migrateJob},
}

// nodeHost is what runs outside of all containers, in units.
func nodeHost(m *machine) {
	m.furniture()
	kubelet := m.daemon(1201, "root", 0, "kubelet", "/usr/bin/kubelet --config=/var/lib/kubelet/config.yaml")
	runtime := m.daemon(998, "root", 0, "containerd", "/usr/bin/containerd")
	nginx := m.daemon(1502, "www-data", 33, "nginx", "nginx: worker process")
	m.listen(kubelet, "::", 10250, 4096)
	front := m.listen(nginx, "::", 443, 511)
	m.visitors(front, 6, 20*time.Second)
	control := m.reach("10.0.8.1", 400*time.Microsecond, 0)
	images := m.reach("203.0.113.60", 18*time.Millisecond, 20*time.Millisecond)
	m.keep(client{process: kubelet, from: m.local, to: control, port: 6443, life: time.Hour}, exactly(3))
	pull := client{process: runtime, from: m.local, to: images, port: 443, life: 2 * time.Second, byPeer: 0.3}
	m.often(always(0.3), func() { _ = m.dial(&pull, func() {}) })
	for i := range 3 {
		pod := m.reach(nodePodsNet+[]string{"17", "18", "21"}[i], 80*time.Microsecond, 0)
		m.keep(client{process: nginx, from: m.local, to: pod, port: 8080, life: 5 * time.Minute}, exactly(20-4*i))
	}
}

// ordersPod opens a connection to its database for each order, more and more,
// until connect() fails.
func ordersPod(m *machine) {
	api := m.daemon(44100, "1001", 1001, "api", "/srv/api/bin/api --listen :8080 --db postgres://10.0.9.2:5432/shop")
	proxy := m.daemon(44131, "1337", 1337, "envoy", "/usr/local/bin/envoy -c /etc/istio/proxy/envoy.json")
	m.listen(api, "0.0.0.0", 8080, 4096)
	database := m.reach("10.0.9.2", 400*time.Microsecond, 0)
	cache := m.reach("10.0.9.3", 300*time.Microsecond, 0)
	m.keep(client{process: api, from: m.local, to: cache, port: 6379, life: time.Hour}, exactly(16))
	m.keep(client{process: proxy, from: m.local, to: m.reach("10.0.9.40", 700*time.Microsecond, 0), port: 4317, life: time.Hour}, exactly(4))
	query := client{process: api, from: m.local, to: database, port: 5432, life: 60 * time.Millisecond}
	m.often(func() float64 {
		const low, high = 180, 620
		rising := float64(m.now-ordersRise) / float64(ordersPeak-ordersRise)
		return low + (high-low)*min(1, max(0, rising))
	}, func() { _ = m.dial(&query, func() {}) })
}

// webPod closes 141 connections a second: at 60 seconds of TIME_WAIT each, that
// is 30 % of the range.
func webPod(m *machine) {
	web := m.daemon(44700, "101", 101, "nginx", "nginx: worker process")
	m.listen(web, "0.0.0.0", 8080, 511)
	search := m.reach("10.0.9.20", 600*time.Microsecond, 0)
	ask := client{process: web, from: m.local, to: search, port: 9200, life: 40 * time.Millisecond}
	m.often(always(141), func() { _ = m.dial(&ask, func() {}) })
}

func workerPod(m *machine) {
	worker := m.daemon(45300, "1001", 1001, "worker", "/usr/bin/python3 -m celery -A shop.worker worker")
	m.daemon(45317, "1001", 1001, "beat", "/usr/bin/python3 -m celery -A shop.worker beat")
	m.keep(client{process: worker, from: m.local, to: m.reach("10.0.9.2", 400*time.Microsecond, 0), port: 5432, life: time.Hour}, exactly(12))
	m.keep(client{process: worker, from: m.local, to: m.reach("10.0.9.11", 500*time.Microsecond, 0), port: 9092, life: time.Hour}, exactly(6))
}

func prometheusPod(m *machine) {
	prometheus := m.daemon(45900, "65534", 65534, "prometheus", "/bin/prometheus --config.file=/etc/prometheus/prometheus.yml")
	m.listen(prometheus, "::", 9090, 4096)
	for i := range 30 {
		to := m.reach("10.0.8."+string([]byte{'1' + byte(i/10), '0' + byte(i%10)}), 500*time.Microsecond, 0)
		m.keep(client{process: prometheus, from: m.local, to: to, port: 9100, life: 20 * time.Minute}, exactly(4))
	}
}

func corednsPod(m *machine) {
	coredns := m.daemon(46500, "65532", 65532, "coredns", "/coredns -conf /etc/coredns/Corefile")
	m.receive(coredns, "::", 53)
	upstream := m.reach("10.0.0.2", 600*time.Microsecond, 0)
	m.often(always(30), func() { m.lookUp(coredns, upstream) })
}

func registryContainer(m *machine) {
	registry := m.daemon(47100, "root", 0, "registry", "registry serve /etc/docker/registry/config.yml")
	front := m.listen(registry, "::", 5000, 4096)
	m.visitors(front, 1, 8*time.Second)
}

func redisContainer(m *machine) {
	redis := m.daemon(47700, "999", 999, "redis-server", "redis-server *:6379")
	front := m.listen(redis, "0.0.0.0", 6379, 511)
	for i := range 40 {
		m.arrive(front, m.local, source.Addr4([4]byte{172, 17, 0, 10}), uint16(40000+i))
	}
}

// runnerContainer ends with its job.
func runnerContainer(m *machine) {
	runner := m.daemon(48300, "root", 0, "runner", "/usr/bin/gitlab-runner run")
	origin := m.reach("203.0.113.44", 35*time.Millisecond, 40*time.Millisecond)
	fetch := client{process: runner, from: m.local, to: origin, port: 443, life: 800 * time.Millisecond, byPeer: 0.2}
	m.often(always(12), func() { _ = m.dial(&fetch, func() {}) })
}

func backupUnit(m *machine) {
	restic := m.daemon(48900, "backup", 34, "restic", "restic -r rest:https://10.0.7.20:8000/ backup /srv")
	m.keep(client{process: restic, from: m.local, to: m.reach("10.0.7.20", 900*time.Microsecond, 0), port: 8000, life: time.Hour}, exactly(5))
}

func vpnNamespace(m *machine) {
	vpn := m.daemon(49500, "root", 0, "openvpn", "openvpn --config /etc/openvpn/blue.conf")
	m.talk(vpn, m.reach("203.0.113.7", 24*time.Millisecond, 0), 1194, time.Hour)
	proxy := m.daemon(49512, "nobody", 65534, "tinyproxy", "tinyproxy -c /etc/tinyproxy/blue.conf")
	m.keep(client{process: proxy, from: m.local, to: m.reach("203.0.113.80", 38*time.Millisecond, 0), port: 443, life: 40 * time.Second}, exactly(25))
}

func unnamedNamespace(m *machine) {
	box := m.daemon(50100, "ada", 1000, "bwrap", "bwrap --unshare-net --ro-bind / / ./crawl")
	m.keep(client{process: box, from: m.local, to: m.reach("198.51.100.5", 18*time.Millisecond, 0), port: 443, life: 3 * time.Second}, exactly(3))
}

// migrateJob binds its sockets to an address before it connects them: each of
// its ports is blocked for every destination.
func migrateJob(m *machine) {
	job := m.daemon(50700, "1001", 1001, "migrate", "/srv/migrate/bin/migrate --bind 10.244.1.40 --workers 64")
	job.Start = uint64((uptime + jobBegins).Seconds() * ticks)
	shards := []source.Addr{m.reach("10.0.9.2", 400*time.Microsecond, 0), m.reach("10.0.9.4", 400*time.Microsecond, 0)}
	m.at(jobBegins, func() {
		m.often(always(60), func() { m.dialBound(job, shards[m.random.IntN(len(shards))], 5432, 90*time.Second, true) })
	})
}
