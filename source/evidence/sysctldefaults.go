package evidence

import (
	"fmt"
	"strconv"
	"strings"
)

const reservedPorts = "net.ipv4.ip_local_reserved_ports"

// knownSysctl is a setting that matters, with the kernel's default.
type knownSysctl struct {
	name   string
	normal defaultOf
}

// defaultOf tells the default of a setting on a host. It is given the value in
// force for the defaults that can be told in more than one way.
type defaultOf func(h *gatherer, value string) (normal string, known bool, note string)

// sysctlsOfInterest are the settings with their defaults (kernel
// Documentation/networking/ip-sysctl.rst, nf_conntrack-sysctl.rst).
var sysctlsOfInterest = [...]knownSysctl{
	{"net.ipv4.ip_local_port_range", bySince(4, 2, "32768 60999", "32768 61000")},
	{reservedPorts, plainly("")},
	{"net.ipv4.tcp_tw_reuse", bySince(4, 19, "2", "0")}, // commit 79e9fed46038
	{"net.ipv4.tcp_tw_reuse_delay", plainly("1000")},
	{"net.ipv4.tcp_tw_recycle", plainly("0")}, // gone since 4.12
	{"net.ipv4.tcp_fin_timeout", plainly("60")},
	{"net.ipv4.tcp_max_tw_buckets", halfTheTable}, // tcp_set_hashinfo, tcp_sk_init
	{"net.ipv4.tcp_timestamps", plainly("1")},
	{"net.ipv4.tcp_max_orphans", halfTheTable}, // tcp_init
	{"net.ipv4.tcp_syn_retries", bySince(3, 7, "6", "5")},
	{"net.ipv4.tcp_retries2", plainly("15")},
	{"net.ipv4.tcp_keepalive_time", plainly("7200")},
	{"net.core.somaxconn", bySince(5, 4, "4096", "128")},
	{"net.netfilter.nf_conntrack_max", conntrackMax},
	{"net.netfilter.nf_conntrack_tcp_timeout_established", plainly("432000")},
	{"net.netfilter.nf_conntrack_tcp_timeout_time_wait", plainly("120")},
}

// plainly is a default that never changed.
func plainly(value string) defaultOf {
	return func(*gatherer, string) (string, bool, string) { return value, true, "" }
}

// bySince is a default that changed in a release of the kernel. One whose
// release can't be read counts as new.
func bySince(major, minor int, now, before string) defaultOf {
	return func(h *gatherer, _ string) (string, bool, string) {
		if h.olderThan(major, minor) {
			return before, true, fmt.Sprintf("%s since Linux %d.%d", now, major, minor)
		}
		return now, true, ""
	}
}

// olderThan tells whether the kernel's release is below major.minor.
func (h *gatherer) olderThan(major, minor int) bool {
	data, err := h.Read("/proc/sys/kernel/osrelease")
	if err != nil {
		return false
	}
	var first, second int
	if n, _ := fmt.Sscanf(string(data), "%d.%d", &first, &second); n != 2 {
		return false
	}
	return first < major || first == major && second < minor
}

// halfTheTable is the default of settings that are half the size of the hash
// table of TCP sockets, which scales with memory. Its size is negative in a
// namespace that shares the host's.
func halfTheTable(h *gatherer, _ string) (string, bool, string) {
	size, err := h.number("/proc/sys/net/ipv4/tcp_ehash_entries")
	if err != nil {
		return "", false, "scales with memory, and this kernel does not tell with what (net.ipv4.tcp_ehash_entries)"
	}
	return strconv.Itoa(max(size, -size) / 2), true, "half of net.ipv4.tcp_ehash_entries, which scales with memory"
}

// conntrackMax is a multiple of the number of buckets, which scales with memory
// (nf_conntrack_init_start): once since 5.15, four times before, eight times
// where the module was loaded with hashsize=.
func conntrackMax(h *gatherer, value string) (string, bool, string) {
	buckets, err := h.number("/proc/sys/net/netfilter/nf_conntrack_buckets")
	if err != nil {
		return "", false, "scales with memory, and nf_conntrack_buckets could not be read"
	}
	if eight := strconv.Itoa(8 * buckets); strings.TrimSpace(value) == eight {
		return eight, true, "eight times nf_conntrack_buckets, as the module's option hashsize gives"
	}
	if h.olderThan(5, 15) {
		return strconv.Itoa(4 * buckets), true, "four times nf_conntrack_buckets, which scales with memory"
	}
	return strconv.Itoa(buckets), true, "nf_conntrack_buckets, which scales with memory"
}
