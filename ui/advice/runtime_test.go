package advice_test

import (
	"strings"
	"testing"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

// The remedy that fits the program stands first, and no other one of pooling
// with it.
func TestRemediesOfPrograms(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, command string
		to            string
		want          string // in the first remedy
	}{
		{"php-fpm8.2", "php-fpm: pool www", "10.0.9.7:443", "PHP"},
		{"php-fpm", "php-fpm: master process", "10.0.9.2:3306", "PDO::ATTR_PERSISTENT"},
		{"node", "node server.js", "10.0.9.7:443", "keepAlive: true"},
		{"MainThread", "/usr/bin/node /srv/app/server.js", "10.0.9.7:3000", "keepAlive: true"},
		{"java", "/usr/bin/java -jar app.jar", "10.0.9.2:5432", "HikariCP"},
		{"java", "java -jar app.jar", "10.0.9.7:443", "PoolingHttpClientConnectionManager"},
		{"haproxy", "haproxy -W -f /etc/haproxy/haproxy.cfg", "10.0.9.7:80", "http-reuse"},
		{"haproxy", "haproxy -W -f /etc/haproxy/haproxy.cfg", "10.0.9.2:5432", "source ADDRESS"},
		{"nginx", "nginx: worker process", "10.0.9.7:80", "keepalive 64"},
		{"envoy", "envoy -c /etc/envoy.yaml", "10.0.9.7:443", "max_requests_per_connection"},
		{"pgbouncer", "pgbouncer /etc/pgbouncer.ini", "10.0.9.2:5432", "server_idle_timeout"},
		{"python3.11", "python3.11 job.py", "10.0.9.7:443", "requests.Session"},
		{"job.py", "/usr/bin/python3 /srv/job.py", "10.0.9.7:443", "requests.Session"},
		{"curl", "curl -s http://10.0.9.7/", "10.0.9.7:80", "in a loop"},
		{"puma", "puma 6.4 [app]", "10.0.9.7:443", "Net::HTTP.start"},
		{"main", "/tmp/go-build3141/b001/exe/main", "10.0.9.7:443", "MaxIdleConnsPerHost"},
		{"api", "/srv/api", "10.0.9.2:5432", "PgBouncer"},
		{"node_exporter", "/usr/bin/node_exporter", "10.0.9.7:443", "requests.Session"}, // all ways, as it is not known
		{"java", "java -jar app.jar", "10.0.9.4:5672", "broker"},
	} {
		st := with(host(), towards(tuple("10.0.0.9", test.to), 41, 3641, 3500))
		st.Processes = []source.Process{{PID: 3120, Name: test.name, Command: test.command}}
		a := advice.Of(st, &model.Finding{
			Problem: model.NoPooling, Tuple: tuple("10.0.0.9", test.to), Tier: model.OwnerInferred, Rate: 60, Count: 3641, Live: 41, Of: 28232, Plateau: 3641,
		})
		if r := a.Remedies[0]; !strings.Contains(r.What+"\n"+r.Config, test.want) {
			t.Errorf("%s (%s) to %s: first remedy %q, %q, want %q", test.name, test.command, test.to, r.What, r.Config, test.want)
		}
	}
}

// No remedy for a pod or a container changes the host, whatever was found, but one that
// says so: each says how it is set in the pod or container.
func TestRemediesOfEveryFindingByPlace(t *testing.T) {
	t.Parallel()
	host := source.Scope{Kind: source.ScopeHost, PID: 1}
	pod := source.Scope{Kind: source.ScopePod, PID: 4410}
	container := source.Scope{Kind: source.ScopeContainer, PID: 51}
	inside := source.Scope{Name: "5f2a9c"}
	for _, place := range []struct {
		scope             source.Scope
		spec, run, nsentr bool
	}{{host, false, false, false}, {pod, true, false, true}, {container, false, true, true}, {inside, true, true, false}} {
		told := 0
		for _, c := range cases() {
			if c.f.NATPool != nil && c.f.Problem < model.NATFull {
				continue // typed where the connections are translated
			}
			c.state.Snapshot.Scope = place.scope
			if place.scope == inside {
				c.state.Moment.Limits = []source.Limit{{Code: source.LimitOtherPIDs}}
			}
			for _, r := range advice.Of(c.state, &c.f).Remedies {
				if strings.Contains(r.Command, "nf_conntrack_max=") {
					if r.Command != "sysctl -w net.netfilter.nf_conntrack_max=524288" || r.What != "have the host allow more entries" {
						t.Errorf("%s in %+v: %q", c.name, place.scope, r.Command)
					}
					continue // no namespace has one of its own
				}
				lines := strings.Split(r.Command, "\n")
				for _, line := range lines {
					if strings.Contains(line, "sysctl -w net.") {
						told++
						if on := strings.HasPrefix(line, "sysctl"); c.state.Moment.OS == "linux" && on != (place.scope == host) {
							t.Errorf("%s in %+v: %q", c.name, place.scope, line)
						}
					}
				}
				sets := strings.Contains(r.Command, "sysctl -w net.") || strings.Contains(r.Config, "sysctls: [")
				if sets && (strings.Contains(r.Config, "securityContext.sysctls: [{name: net.") != place.spec ||
					strings.Contains(r.Command, "docker run --sysctl net.") != place.run) {
					t.Errorf("%s in %+v: %q", c.name, place.scope, r.Command)
				}
			}
		}
		if told == 0 && place.scope != inside {
			t.Errorf("no remedy with sysctl in %+v", place.scope)
		}
	}
}

// A range is written whole, as each place takes it.
func TestRangeOfAPod(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind source.ScopeKind
		want string
	}{
		{source.ScopePod, `pod: spec.securityContext.sysctls: [{name: net.ipv4.ip_local_port_range, value: "32768 60999"}]`},
		{source.ScopeContainer, `docker run --sysctl net.ipv4.ip_local_port_range="32768 60999" IMAGE`},
	} {
		st := host()
		st.Snapshot.Scope = source.Scope{Kind: test.kind, PID: 51}
		st.Snapshot.Settings.Range = source.PortRange{Low: 40000, High: 40099}
		a := advice.Of(st, &model.Finding{Problem: model.NarrowRange, Process: none})
		if lines := strings.Split(strings.TrimSpace(a.Remedies[0].Command+"\n"+a.Remedies[0].Config), "\n"); lines[len(lines)-1] != test.want {
			t.Errorf("%v: %q, want %q", test.kind, lines, test.want)
		}
	}
}
