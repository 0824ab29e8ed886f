// Package services names the services that ports are for, and says of what
// kind they are.
package services

import (
	"maps"
	"slices"
	"strings"

	"ephtop/source"
)

// Kind says what sort of service listens on a port, as far as the port tells.
type Kind uint8

// The kinds of services.
const (
	Unknown Kind = iota
	Web
	Database
	Cache
	Search
	Broker
	Mail
	DNS
	NTP
	SSH
	Directory
	File
	Monitoring
	Remote
	Print
	Voice
	VPN
	Cluster
	Network
)

// String names the kind in the words of a sentence, as in "a message broker".
func (k Kind) String() string {
	names := [...]string{
		"unknown", "web", "database", "cache", "search", "message broker", "mail", "DNS", "NTP", "SSH", "directory",
		"file", "monitoring", "remote access", "print", "voice", "VPN", "cluster", "network",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return names[Unknown]
}

// protocols says over what a service is spoken.
type protocols uint8

const (
	overTCP protocols = 1 << iota
	overUDP
	overBoth = overTCP | overUDP
)

func (p protocols) has(proto source.Proto) bool {
	switch proto {
	case source.TCP:
		return p&overTCP != 0
	case source.UDP:
		return p&overUDP != 0
	}
	return false
}

type service struct {
	port uint16
	over protocols
	name string
	kind Kind
}

// services are the ports that clients commonly connect to, sorted by port.
// Names are those of the IANA Service Name and Transport Protocol Port Number
// Registry (RFC 6335). Lines marked "customary" are not taken from it: they
// name the software that has the port as its default, because the registry
// has no entry or one that hardly anyone would recognise.
var services = [...]service{
	{20, overTCP, "ftp-data", File},
	{21, overTCP, "ftp", File},
	{22, overTCP, "ssh", SSH},
	{23, overTCP, "telnet", Remote},
	{25, overTCP, "smtp", Mail},
	{49, overBoth, "tacacs", Directory},
	{53, overBoth, "domain", DNS},
	{67, overUDP, "bootps", Network},
	{68, overUDP, "bootpc", Network},
	{69, overUDP, "tftp", File},
	{80, overBoth, "http", Web},
	{88, overBoth, "kerberos", Directory},
	{110, overTCP, "pop3", Mail},
	{111, overBoth, "sunrpc", File},
	{123, overUDP, "ntp", NTP},
	{135, overTCP, "epmap", Directory},
	{137, overUDP, "netbios-ns", File},
	{139, overTCP, "netbios-ssn", File},
	{143, overTCP, "imap", Mail},
	{161, overUDP, "snmp", Monitoring},
	{162, overUDP, "snmptrap", Monitoring},
	{179, overTCP, "bgp", Network},
	{389, overBoth, "ldap", Directory},
	{443, overBoth, "https", Web}, // UDP: HTTP/3
	{445, overTCP, "microsoft-ds", File},
	{464, overBoth, "kpasswd", Directory},
	{465, overTCP, "submissions", Mail},
	{500, overUDP, "isakmp", VPN},
	{514, overUDP, "syslog", Monitoring},
	{515, overTCP, "printer", Print},
	{546, overUDP, "dhcpv6-client", Network},
	{547, overUDP, "dhcpv6-server", Network},
	{554, overTCP, "rtsp", Voice},
	{587, overTCP, "submission", Mail},
	{631, overTCP, "ipp", Print},
	{636, overTCP, "ldaps", Directory},
	{853, overBoth, "domain-s", DNS},
	{873, overTCP, "rsync", File},
	{990, overTCP, "ftps", File},
	{993, overTCP, "imaps", Mail},
	{995, overTCP, "pop3s", Mail},
	{1080, overTCP, "socks", Web},
	{1194, overBoth, "openvpn", VPN},
	{1433, overTCP, "ms-sql-s", Database},
	{1434, overUDP, "ms-sql-m", Database},
	{1521, overTCP, "oracle", Database}, // customary
	{1812, overUDP, "radius", Directory},
	{1813, overUDP, "radius-acct", Directory},
	{1883, overTCP, "mqtt", Broker},
	{2049, overBoth, "nfs", File},
	{2181, overTCP, "zookeeper", Cluster}, // customary
	{2375, overTCP, "docker", Cluster},
	{2376, overTCP, "docker-s", Cluster},
	{2379, overTCP, "etcd-client", Cluster},
	{2380, overTCP, "etcd-server", Cluster},
	{3128, overTCP, "squid", Web}, // customary
	{3268, overTCP, "msft-gc", Directory},
	{3306, overTCP, "mysql", Database},
	{3389, overBoth, "ms-wbt-server", Remote},
	{4222, overTCP, "nats", Broker},          // customary
	{4317, overTCP, "otlp", Monitoring},      // customary
	{4318, overTCP, "otlp-http", Monitoring}, // customary
	{4369, overTCP, "epmd", Cluster},
	{4500, overUDP, "ipsec-nat-t", VPN},
	{5060, overBoth, "sip", Voice},
	{5061, overTCP, "sips", Voice},
	{5222, overTCP, "xmpp-client", Voice},
	{5353, overUDP, "mdns", DNS},
	{5355, overBoth, "llmnr", DNS},
	{5432, overTCP, "postgresql", Database},
	{5671, overTCP, "amqps", Broker},
	{5672, overTCP, "amqp", Broker},
	{5900, overTCP, "rfb", Remote},
	{5984, overTCP, "couchdb", Database},
	{6379, overTCP, "redis", Cache},
	{6432, overTCP, "pgbouncer", Database}, // customary
	{6443, overTCP, "kubernetes", Cluster}, // customary
	{6514, overBoth, "syslog-tls", Monitoring},
	{7687, overTCP, "bolt", Database}, // customary
	{8080, overTCP, "http-alt", Web},
	{8086, overTCP, "influxdb", Database},   // customary
	{8123, overTCP, "clickhouse", Database}, // customary
	{8125, overUDP, "statsd", Monitoring},   // customary
	{8200, overTCP, "vault", Directory},     // customary
	{8300, overTCP, "consul", Cluster},      // customary
	{8443, overTCP, "https-alt", Web},       // customary
	{8500, overTCP, "consul-http", Cluster}, // customary
	{8883, overTCP, "secure-mqtt", Broker},
	{9000, overTCP, "clickhouse-native", Database},     // customary
	{9042, overTCP, "cassandra", Database},             // customary
	{9090, overTCP, "prometheus", Monitoring},          // customary
	{9092, overTCP, "kafka", Broker},                   // customary
	{9100, overTCP, "node-exporter", Monitoring},       // customary
	{9200, overTCP, "elasticsearch", Search},           // customary
	{9300, overTCP, "elasticsearch-transport", Search}, // customary
	{9418, overTCP, "git", File},
	{10050, overTCP, "zabbix-agent", Monitoring},
	{10051, overTCP, "zabbix-trapper", Monitoring},
	{11211, overBoth, "memcache", Cache},
	{27017, overTCP, "mongodb", Database},
	{51820, overUDP, "wireguard", VPN},   // customary
	{61616, overTCP, "activemq", Broker}, // customary
}

// lookup finds what is known of a port, or nil.
func lookup(port uint16, proto source.Proto) *service {
	i, ok := slices.BinarySearchFunc(services[:], port, func(s service, p uint16) int { return int(s.port) - int(p) })
	if !ok || !services[i].over.has(proto) {
		return nil
	}
	return &services[i]
}

// Name returns the name of the service that a port is for, in IANA's
// words: "postgresql" for 5432. It is "" for a port that is not well known.
func Name(port uint16, proto source.Proto) string {
	if s := lookup(port, proto); s != nil {
		return s.name
	}
	return ""
}

// aliases are what people type in place of a name.
var aliases = map[string]string{
	"dns": "domain", "postgres": "postgresql", "pgsql": "postgresql", "memcached": "memcache", "mssql": "ms-sql-s",
	"mongo": "mongodb", "rdp": "ms-wbt-server", "vnc": "rfb", "smb": "microsoft-ds",
}

// Port returns the port of a service by its name in any case. Beside the
// names that [Name] gives, it knows a few that people type instead.
func Port(name string) (uint16, bool) {
	name = strings.ToLower(name)
	if known, ok := aliases[name]; ok {
		name = known
	}
	for i := range services {
		if services[i].name == name {
			return services[i].port, true
		}
	}
	return 0, false
}

// Names returns the names that [Port] knows, sorted.
func Names() []string {
	names := slices.Collect(maps.Keys(aliases))
	for i := range services {
		names = append(names, services[i].name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// KindOf returns what sort of service a port is for, Unknown for a port
// that is not well known.
func KindOf(port uint16, proto source.Proto) Kind {
	if s := lookup(port, proto); s != nil {
		return s.kind
	}
	return Unknown
}
