package fleet

import (
	"cmp"
	"net"
	"slices"
	"strings"
)

// target is what Prometheus reads.
type target struct{ job, instance string }

func targetOf(s *sample) target { return target{s.labels["job"], s.labels["instance"]} }

// known are the targets that were told of, by the names of their hosts: which they
// keep, so that no host is two.
type known struct {
	names map[target]string
	taken map[string]bool
	// bare says that the instances at first all had a port, and stayed apart
	// without.
	bare  bool
	polls polls
}

// name gives new targets a name, and returns all that there are and were: instances
// without their ports where all have one. One that is taken is told apart by its
// port, or by the job.
func (k *known) name(targets []target) map[target]string {
	slices.SortFunc(targets, func(a, b target) int {
		return cmp.Or(strings.Compare(a.instance, b.instance), strings.Compare(a.job, b.job))
	})
	if k.names == nil && len(targets) > 0 {
		k.names, k.taken, k.polls, k.bare = make(map[target]string), make(map[string]bool), make(polls), haveHosts(targets)
	}
	for _, t := range targets {
		if k.names[t] != "" {
			continue
		}
		full := clip(cmp.Or(t.instance, "no instance"))
		name := full
		if host, ok := hostOf(t.instance); ok && k.bare {
			name = clip(host)
		}
		if k.taken[name] {
			name = full
		}
		if k.taken[name] {
			name = full + " (" + clip(t.job) + ")"
		}
		k.names[t], k.taken[name] = name, true
	}
	return k.names
}

// haveHosts reports whether all instances have a port, and each is another host.
func haveHosts(targets []target) bool {
	instances := make(map[string]string) // by host
	for _, t := range targets {
		host, ok := hostOf(t.instance)
		if other := instances[host]; !ok || other != "" && other != t.instance {
			return false
		}
		instances[host] = t.instance
	}
	return true
}

func hostOf(instance string) (string, bool) {
	host, _, err := net.SplitHostPort(instance)
	return host, err == nil && host != ""
}

// PrometheusTarget is the host of a name that the feed of a Prometheus server has
// told: without the port and the job that tell it apart there.
func PrometheusTarget(name string) (Target, error) {
	name, _, _ = strings.Cut(name, " (")
	if host, ok := hostOf(name); ok {
		name = host
	}
	return ParseTarget(name)
}
