package advice

import (
	"fmt"

	"ephtop/model"
	"ephtop/model/services"
	"ephtop/source"
	"ephtop/ui/text"
)

// cure is how connections to a service are kept open and used again.
type cure struct{ what, command, risk string }

const (
	poolRisk = "size the pool for the busiest moment: one that is too small makes callers wait"
	idleRisk = "an idle connection that the server closes first fails a request: keep the client's idle time below the server's"
)

// cureByPort knows services better than by their kind.
func cureByPort(port uint16) (cure, bool) {
	switch port {
	case 5432, 6432:
		return cure{
			"pool the database connections: PgBouncer, or the pool of the driver (HikariCP, pgxpool, SQLAlchemy)",
			"pgbouncer.ini: pool_mode = transaction, default_pool_size = 20",
			poolRisk + "; with pool_mode = transaction, SET, LISTEN and temporary tables do not outlive a transaction",
		}, true
	case 3306:
		return cure{
			"pool the database connections: ProxySQL, or the pool of the driver (HikariCP, SQLAlchemy, PDO::ATTR_PERSISTENT)",
			"HikariCP: maximumPoolSize=20, maxLifetime below the server's wait_timeout", poolRisk,
		}, true
	case 27017:
		return cure{
			"make one MongoClient for the whole process: it pools its connections",
			"maxPoolSize=50 in the connection string, and no new MongoClient for each request", poolRisk,
		}, true
	case 9042:
		return cure{
			"make one driver session for the whole process: it pools its connections",
			"one Session, never a new one for each request", poolRisk,
		}, true
	case 6379:
		return cure{
			"keep the connections to the cache open: the client's pool, or persistent connections",
			"Jedis: JedisPool; redis-py: ConnectionPool; PHP: pconnect instead of connect", poolRisk,
		}, true
	}
	return cure{}, false
}

func cureByKind(kind services.Kind) cure {
	switch kind {
	case services.Database:
		return cure{
			"pool the database connections, in the driver (HikariCP, ADO.NET) or in a proxy before the database",
			"HikariCP: maximumPoolSize=20; ADO.NET: Pooling=true; Max Pool Size=20", poolRisk,
		}
	case services.Web:
		return cure{
			"keep HTTP connections alive and use them again",
			`nginx: upstream { keepalive 64; } proxy_http_version 1.1; proxy_set_header Connection "";` +
				"\nGo: one http.Client, MaxIdleConnsPerHost=64, read each body to its end; Python: one requests.Session", idleRisk,
		}
	case services.DNS:
		return cure{
			"answer names from a cache on this host: systemd-resolved, unbound or dnsmasq",
			"systemctl enable --now systemd-resolved, and nameserver 127.0.0.53 in /etc/resolv.conf",
			"a record that changes is seen when its time to live has passed",
		}
	case services.Cache:
		return cure{
			"keep the connections to the cache open: the client's pool, or persistent connections",
			"one client for the whole process; PHP: a persistent id for Memcached", poolRisk,
		}
	case services.Search:
		return cure{
			"make one client for the whole process: it keeps its HTTP connections alive",
			"one RestClient, never a new one for each request", idleRisk,
		}
	case services.Broker:
		return cure{
			"keep one long-lived connection to the broker for each process, with channels or producers on it",
			"AMQP: one connection, a channel for each thread; Kafka: one producer; MQTT: keepalive 60", "a lost connection takes all its channels with it: reconnect",
		}
	case services.Mail:
		return cure{
			"send several mails over one SMTP connection: hand them to a local mail server that caches connections",
			"Postfix: relayhost = [SERVER], smtp_connection_cache_destinations = SERVER", "a queue on this host must be watched",
		}
	case services.Directory:
		return cure{
			"keep the connections to the directory open: a pool in the client, sssd for the system's own look-ups",
			"Java: com.sun.jndi.ldap.connect.pool=true; sssd.conf: cache_credentials = true", "answers from a cache can be out of date",
		}
	case services.SSH:
		return cure{
			"share one SSH connection between several sessions",
			"~/.ssh/config: ControlMaster auto, ControlPath ~/.ssh/%C, ControlPersist 60s", "the end of the shared connection ends all its sessions",
		}
	case services.Monitoring:
		return cure{
			"send figures over one connection that stays open, or to an agent on this host",
			"one exporter or client for the whole process, with keep-alive or gRPC", idleRisk,
		}
	case services.Cluster:
		return cure{
			"make one client for the whole process, and let it watch instead of asking again and again",
			"one client with keep-alive or gRPC", idleRisk,
		}
	}
	return cure{
		"keep the connections open and use them again: a pool in the client, or keep-alive",
		"one client for the whole process, never a new connection for each request", poolRisk,
	}
}

// pool is the remedy of connections that are used again. It ends the TIME_WAIT
// of live connections' successors: what stays is what is busy at one time.
func (t *teller) pool(waiting, live, plateau int) Remedy {
	c, ok := cureByPort(t.f.Tuple.Port)
	if !ok {
		c = cureByKind(services.KindOf(t.f.Tuple.Port, source.TCP))
	}
	effect := "ends " + text.Count(waiting) + " TIME_WAIT: about " + text.Plural(max(1, live), "port", "ports") + " instead of " +
		text.Count(max(plateau, waiting+live))
	return Remedy{What: c.what, Command: c.command, Effect: effect, Risk: c.risk}
}

func (t *teller) noPooling() Advice {
	f := t.f
	life := "none was seen alive for long enough to be measured"
	if f.Span > 0 {
		life = "a connection lives " + span(f.Span) + " on average"
	}
	a := Advice{
		Title: t.title("%s to %s, each for a new connection", closes(f.Rate), t.destination()),
		Seen: fmt.Sprintf("%s closes %s connections/s to %s: %s open, %s in TIME_WAIT; %s; %s",
			t.whoever(), rate(f.Rate), t.destination(), text.Count(f.Live), text.Count(f.Count), life, settles(f.Plateau, f.Of)),
		Why: fmt.Sprintf("Each connection that is closed here keeps its port towards this destination for %s: at this rate that makes %s for %s at one time.",
			span(t.set.TimeWait), text.Plural(f.Plateau, "port", "ports"), text.Plural(max(1, f.Live), "connection", "connections")) + t.noCure(),
		Remedies: gather(t.pool(f.Count, f.Live, f.Plateau), t.unixSocket(), t.reuse(), t.shorten()),
	}
	if f.Level > model.LevelOK {
		a.Remedies = append(a.Remedies, gather(t.widen(), t.another())...)
	}
	return a
}

// settles says where a rate of closes leads.
func settles(plateau, usable int) string {
	if plateau > usable {
		return "would take " + text.Count(plateau) + " ports, and there are " + text.Count(usable)
	}
	return "settles at " + text.Count(plateau) + " of " + text.Count(usable) + " ports"
}

// noCure says plainly which popular settings do nothing against TIME_WAIT.
func (t *teller) noCure() string {
	if !t.linux() {
		return ""
	}
	return " tcp_fin_timeout does not shorten TIME_WAIT, and tcp_tw_recycle is gone since Linux 4.12."
}
