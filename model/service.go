package model

import (
	"slices"
	"strings"

	"ephtop/source"
)

// Kind says what sort of service listens on a port, as far as the port tells.
type Kind uint8

// The kinds of services.
const (
	KindUnknown Kind = iota
	KindWeb
	KindDatabase
	KindCache
	KindSearch
	KindBroker
	KindMail
	KindDNS
	KindNTP
	KindSSH
	KindDirectory
	KindFile
	KindMonitoring
	KindRemote
	KindPrint
	KindVoice
	KindVPN
	KindCluster
	KindNetwork
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
	return names[KindUnknown]
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
	{20, overTCP, "ftp-data", KindFile},
	{21, overTCP, "ftp", KindFile},
	{22, overTCP, "ssh", KindSSH},
	{23, overTCP, "telnet", KindRemote},
	{25, overTCP, "smtp", KindMail},
	{49, overBoth, "tacacs", KindDirectory},
	{53, overBoth, "domain", KindDNS},
	{67, overUDP, "bootps", KindNetwork},
	{68, overUDP, "bootpc", KindNetwork},
	{69, overUDP, "tftp", KindFile},
	{80, overBoth, "http", KindWeb},
	{88, overBoth, "kerberos", KindDirectory},
	{110, overTCP, "pop3", KindMail},
	{111, overBoth, "sunrpc", KindFile},
	{123, overUDP, "ntp", KindNTP},
	{135, overTCP, "epmap", KindDirectory},
	{137, overUDP, "netbios-ns", KindFile},
	{139, overTCP, "netbios-ssn", KindFile},
	{143, overTCP, "imap", KindMail},
	{161, overUDP, "snmp", KindMonitoring},
	{162, overUDP, "snmptrap", KindMonitoring},
	{179, overTCP, "bgp", KindNetwork},
	{389, overBoth, "ldap", KindDirectory},
	{443, overBoth, "https", KindWeb}, // UDP: HTTP/3
	{445, overTCP, "microsoft-ds", KindFile},
	{464, overBoth, "kpasswd", KindDirectory},
	{465, overTCP, "submissions", KindMail},
	{500, overUDP, "isakmp", KindVPN},
	{514, overUDP, "syslog", KindMonitoring},
	{515, overTCP, "printer", KindPrint},
	{546, overUDP, "dhcpv6-client", KindNetwork},
	{547, overUDP, "dhcpv6-server", KindNetwork},
	{554, overTCP, "rtsp", KindVoice},
	{587, overTCP, "submission", KindMail},
	{631, overTCP, "ipp", KindPrint},
	{636, overTCP, "ldaps", KindDirectory},
	{853, overBoth, "domain-s", KindDNS},
	{873, overTCP, "rsync", KindFile},
	{990, overTCP, "ftps", KindFile},
	{993, overTCP, "imaps", KindMail},
	{995, overTCP, "pop3s", KindMail},
	{1080, overTCP, "socks", KindWeb},
	{1194, overBoth, "openvpn", KindVPN},
	{1433, overTCP, "ms-sql-s", KindDatabase},
	{1434, overUDP, "ms-sql-m", KindDatabase},
	{1521, overTCP, "oracle", KindDatabase}, // customary
	{1812, overUDP, "radius", KindDirectory},
	{1813, overUDP, "radius-acct", KindDirectory},
	{1883, overTCP, "mqtt", KindBroker},
	{2049, overBoth, "nfs", KindFile},
	{2181, overTCP, "zookeeper", KindCluster}, // customary
	{2375, overTCP, "docker", KindCluster},
	{2376, overTCP, "docker-s", KindCluster},
	{2379, overTCP, "etcd-client", KindCluster},
	{2380, overTCP, "etcd-server", KindCluster},
	{3128, overTCP, "squid", KindWeb}, // customary
	{3268, overTCP, "msft-gc", KindDirectory},
	{3306, overTCP, "mysql", KindDatabase},
	{3389, overBoth, "ms-wbt-server", KindRemote},
	{4222, overTCP, "nats", KindBroker},          // customary
	{4317, overTCP, "otlp", KindMonitoring},      // customary
	{4318, overTCP, "otlp-http", KindMonitoring}, // customary
	{4369, overTCP, "epmd", KindCluster},
	{4500, overUDP, "ipsec-nat-t", KindVPN},
	{5060, overBoth, "sip", KindVoice},
	{5061, overTCP, "sips", KindVoice},
	{5222, overTCP, "xmpp-client", KindVoice},
	{5353, overUDP, "mdns", KindDNS},
	{5355, overBoth, "llmnr", KindDNS},
	{5432, overTCP, "postgresql", KindDatabase},
	{5671, overTCP, "amqps", KindBroker},
	{5672, overTCP, "amqp", KindBroker},
	{5900, overTCP, "rfb", KindRemote},
	{5984, overTCP, "couchdb", KindDatabase},
	{6379, overTCP, "redis", KindCache},
	{6432, overTCP, "pgbouncer", KindDatabase}, // customary
	{6443, overTCP, "kubernetes", KindCluster}, // customary
	{6514, overBoth, "syslog-tls", KindMonitoring},
	{7687, overTCP, "bolt", KindDatabase}, // customary
	{8080, overTCP, "http-alt", KindWeb},
	{8086, overTCP, "influxdb", KindDatabase},   // customary
	{8123, overTCP, "clickhouse", KindDatabase}, // customary
	{8125, overUDP, "statsd", KindMonitoring},   // customary
	{8200, overTCP, "vault", KindDirectory},     // customary
	{8300, overTCP, "consul", KindCluster},      // customary
	{8443, overTCP, "https-alt", KindWeb},       // customary
	{8500, overTCP, "consul-http", KindCluster}, // customary
	{8883, overTCP, "secure-mqtt", KindBroker},
	{9000, overTCP, "clickhouse-native", KindDatabase},     // customary
	{9042, overTCP, "cassandra", KindDatabase},             // customary
	{9090, overTCP, "prometheus", KindMonitoring},          // customary
	{9092, overTCP, "kafka", KindBroker},                   // customary
	{9100, overTCP, "node-exporter", KindMonitoring},       // customary
	{9200, overTCP, "elasticsearch", KindSearch},           // customary
	{9300, overTCP, "elasticsearch-transport", KindSearch}, // customary
	{9418, overTCP, "git", KindFile},
	{10050, overTCP, "zabbix-agent", KindMonitoring},
	{10051, overTCP, "zabbix-trapper", KindMonitoring},
	{11211, overBoth, "memcache", KindCache},
	{27017, overTCP, "mongodb", KindDatabase},
	{51820, overUDP, "wireguard", KindVPN},   // customary
	{61616, overTCP, "activemq", KindBroker}, // customary
}

// lookup finds what is known of a port, or nil.
func lookup(port uint16, proto source.Proto) *service {
	i, ok := slices.BinarySearchFunc(services[:], port, func(s service, p uint16) int { return int(s.port) - int(p) })
	if !ok || !services[i].over.has(proto) {
		return nil
	}
	return &services[i]
}

// ServiceName gives the name of the service that a port is for, in IANA's
// words: "postgresql" for 5432. It is "" for a port that is not well known.
func ServiceName(port uint16, proto source.Proto) string {
	if s := lookup(port, proto); s != nil {
		return s.name
	}
	return ""
}

// ServicePort gives the port of a service by its name in any case. Beside the
// names that [ServiceName] gives, it knows a few that people type instead.
func ServicePort(name string) (uint16, bool) {
	name = strings.ToLower(name)
	switch name {
	case "dns":
		name = "domain"
	case "postgres", "pgsql":
		name = "postgresql"
	case "memcached":
		name = "memcache"
	case "mssql":
		name = "ms-sql-s"
	case "mongo":
		name = "mongodb"
	case "rdp":
		name = "ms-wbt-server"
	case "vnc":
		name = "rfb"
	case "smb":
		name = "microsoft-ds"
	}
	for i := range services {
		if services[i].name == name {
			return services[i].port, true
		}
	}
	return 0, false
}

// ServiceKind tells what sort of service a port is for, KindUnknown for a port
// that is not well known.
func ServiceKind(port uint16, proto source.Proto) Kind {
	if s := lookup(port, proto); s != nil {
		return s.kind
	}
	return KindUnknown
}
