package advice

import (
	"fmt"

	"ephtop/model"
	"ephtop/model/services"
	"ephtop/source"
	"ephtop/ui/text"
)

// cure is how connections to a service are kept open and used again.
type cure struct{ what, config, risk string }

func (c cure) remedy(effect string) Remedy {
	return Remedy{What: c.what, Config: c.config, Effect: effect, Risk: c.risk}
}

const (
	poolRisk = "size the pool for the busiest moment: one that is too small makes callers wait"
	idleRisk = "an idle connection that the server closes first fails a request: keep the client's idle time below the server's"
)

var postgresCure = cure{
	"pool the database connections: PgBouncer, or the pool of the driver (HikariCP, pgxpool, SQLAlchemy)",
	"pgbouncer.ini: pool_mode = transaction, default_pool_size = 20",
	poolRisk + "; with pool_mode = transaction, SET, LISTEN and temporary tables do not outlive a transaction",
}

// portCures are those of services that are known better than by their kind.
var portCures = map[uint16]cure{
	5432: postgresCure,
	6432: postgresCure,
	3306: {
		"pool the database connections: ProxySQL, or the pool of the driver (HikariCP, SQLAlchemy, PDO::ATTR_PERSISTENT)",
		"HikariCP: maximumPoolSize=20, maxLifetime below the server's wait_timeout", poolRisk,
	},
	27017: {
		"make one MongoClient for the whole process: it pools its connections",
		"maxPoolSize=50 in the connection string, and no new MongoClient for each request", poolRisk,
	},
	9042: {
		"make one driver session for the whole process: it pools its connections",
		"one Session, never a new one for each request", poolRisk,
	},
	6379: {
		"keep the connections to the cache open: the client's pool, or persistent connections",
		"Jedis: JedisPool; redis-py: ConnectionPool; PHP: pconnect instead of connect", poolRisk,
	},
}

var kindCures = map[services.Kind]cure{
	services.Database: {
		"pool the database connections, in the driver (HikariCP, ADO.NET) or in a proxy before the database",
		"HikariCP: maximumPoolSize=20; ADO.NET: Pooling=true; Max Pool Size=20", poolRisk,
	},
	services.Web: {
		"keep HTTP connections alive and use them again",
		`nginx: upstream { keepalive 64; } proxy_http_version 1.1; proxy_set_header Connection "";` +
			"\nGo: one http.Client, MaxIdleConnsPerHost=64, read each body to its end; Python: one requests.Session", idleRisk,
	},
	services.DNS: {
		"answer names from a cache on this host: systemd-resolved, unbound or dnsmasq",
		"systemctl enable --now systemd-resolved, and nameserver 127.0.0.53 in /etc/resolv.conf",
		"a record that changes is seen when its time to live has passed",
	},
	services.Cache: {
		"keep the connections to the cache open: the client's pool, or persistent connections",
		"one client for the whole process; PHP: a persistent id for Memcached", poolRisk,
	},
	services.Search: {
		"make one client for the whole process: it keeps its HTTP connections alive",
		"one RestClient, never a new one for each request", idleRisk,
	},
	services.Broker: {
		"keep one long-lived connection to the broker for each process, with channels or producers on it",
		"AMQP: one connection, a channel for each thread; Kafka: one producer; MQTT: keepalive 60", "a lost connection takes all its channels with it: reconnect",
	},
	services.Mail: {
		"send several mails over one SMTP connection: hand them to a local mail server that caches connections",
		"Postfix: relayhost = [SERVER], smtp_connection_cache_destinations = SERVER", "a queue on this host must be watched",
	},
	services.Directory: {
		"keep the connections to the directory open: a pool in the client, sssd for the system's own look-ups",
		"Java: com.sun.jndi.ldap.connect.pool=true; sssd.conf: cache_credentials = true", "answers from a cache can be out of date",
	},
	services.SSH: {
		"share one SSH connection between several sessions",
		"~/.ssh/config: ControlMaster auto, ControlPath ~/.ssh/%C, ControlPersist 60s", "the end of the shared connection ends all its sessions",
	},
	services.Monitoring: {
		"send figures over one connection that stays open, or to an agent on this host",
		"one exporter or client for the whole process, with keep-alive or gRPC", idleRisk,
	},
	services.Cluster: {
		"make one client for the whole process, and let it watch instead of asking again and again",
		"one client with keep-alive or gRPC", idleRisk,
	},
	services.Unknown: {
		"keep the connections open and use them again: a pool in the client, or keep-alive",
		"one client for the whole process, never a new connection for each request", poolRisk,
	},
}

// pool is the remedy of connections that are used again. It ends the TIME_WAIT
// of live connections' successors: what stays is what is busy at one time.
func (t *teller) pool(waiting, live, plateau int) Remedy {
	return t.cure().remedy("ends " + text.Count(waiting) + " TIME_WAIT: about " + text.Plural(max(1, live), "port", "ports") + " instead of " +
		text.Count(min(max(plateau, waiting+live), t.pressure().Usable)))
}

// cure is that of the client or, where it is not known, of the service.
func (t *teller) cure() cure {
	c, ok := t.clientCure()
	if !ok {
		c, ok = portCures[t.Tuple.Port]
	}
	if !ok {
		if c, ok = kindCures[services.KindOf(t.Tuple.Port, source.TCP)]; !ok {
			c = kindCures[services.Unknown]
		}
	}
	return c
}

func (t *teller) noPooling() Advice {
	life := "none was seen alive for long enough to be measured"
	if t.Span > 0 {
		life = "a connection lives " + span(t.Span) + " on average"
	}
	makes := "at this rate that makes " + text.Plural(t.Plateau, "port", "ports")
	switch made := t.Live + int(t.Rate*t.set.TimeWait.Seconds()); {
	case t.Plateau > t.Of:
		makes = "at this rate that is more than the " + text.Plural(t.Of, "port", "ports") + " there are,"
	case 10*made < 9*t.Plateau: // it was faster before, and is where no port is free
		makes = "they hold " + text.Plural(t.Plateau, "port", "ports") + " now,"
	}
	a := Advice{
		Title: t.title("%s to %s, each for a new connection", closes(t.Rate), t.destination()),
		Seen: fmt.Sprintf("%s closes %s connections/s to %s: %s open, %s in TIME_WAIT%s; %s; %s%s",
			t.whoever(), rate(t.Rate), t.destination(), text.Count(t.Live), text.Count(t.Count), t.shares(), life, takes(t.Plateau, t.Of),
			t.learn()),
		Why: fmt.Sprintf("Each connection that is closed here keeps its port towards this destination for %s: %s for %s at one time.",
			span(t.set.TimeWait), makes, text.Plural(max(1, t.Live), "connection", "connections")) + t.noCure(),
		Remedies: gather(t.pool(t.Count, t.Live, t.Plateau), t.unixSocket(), t.reuse(), t.shorten()),
	}
	if t.Level > model.LevelOK {
		a.Remedies = append(a.Remedies, gather(t.widen(), t.another())...)
	}
	return a
}

// takes says how many ports a rate of closes takes in the end.
func takes(plateau, usable int) string {
	if plateau > usable {
		return "would take " + text.Count(plateau) + " ports, and there are " + text.Count(usable)
	}
	return "this takes " + text.Count(plateau) + " of " + text.Count(usable) + " ports"
}

// noCure says plainly which popular settings do nothing against TIME_WAIT.
func (t *teller) noCure() string {
	if !t.linux() {
		return ""
	}
	return " tcp_fin_timeout does not shorten TIME_WAIT, and tcp_tw_recycle is gone since Linux 4.12."
}
