package advice

import (
	"path"
	"slices"
	"strings"

	"ephtop/model/services"
	"ephtop/source"
)

// client is a program or runtime whose way to keep connections open is known.
type client struct {
	// names are beginnings of the names under which it runs.
	names []string
	// web is its cure towards what speaks HTTP or is not known, database the one
	// towards databases.
	web, database cure
}

const (
	poolIdle = "about as many open connections as requests at one time, also when idle"
	restRisk = "a worker that is restarted often opens its connections anew each time"
)

// clients are tried in this order.
var clients = []client{
	{
		names: []string{"php-fpm", "php"},
		web: cure{"have PHP-FPM's workers keep a connection: through a proxy on this host that keeps them alive",
			"nginx or HAProxy on a Unix domain socket before the service; PHP 8.5: curl_share_init_persistent()", restRisk},
		database: cure{"have PHP-FPM's workers keep their connections: persistent ones, or a pool on this host",
			"PDO::ATTR_PERSISTENT => true; or PgBouncer or ProxySQL on this host; a large pm.max_requests", restRisk},
	},
	{
		names: []string{"node", "nodejs", "npm"},
		web: cure{"give Node's HTTP client an agent with keepAlive, which is off by default before Node 19",
			"new http.Agent({ keepAlive: true, maxSockets: 64 }), one for the whole process, also for axios and node-fetch", idleRisk},
		database: cure{"make one pool for the whole Node process",
			"pg: new Pool({ max: 20 }); mysql2: createPool", poolRisk},
	},
	{
		names: []string{"java", "jsvc"},
		web: cure{"share one HTTP client with a pool between all threads of the Java process",
			"Apache HttpClient: PoolingHttpClientConnectionManager, setDefaultMaxPerRoute(64); JDK: one HttpClient; read each body to its end", idleRisk},
		database: cure{"pool the connections in the Java process: HikariCP",
			"HikariCP: maximumPoolSize=20, maxLifetime below the server's limit", poolRisk},
	},
	{
		names:    []string{"haproxy"},
		web:      cure{"have HAProxy use its connections to the servers again", "in the backend: http-reuse always, and pool-purge-delay 60s; no option httpclose", idleRisk},
		database: cure{"give HAProxy's servers more source addresses, as what is not HTTP has a connection for each client", "in the backend: source ADDRESS on each server line; pool in the clients", "a source address with a range of ports (ADDRESS:LOW-HIGH) limits each server to that range"},
	},
	{
		names: []string{"nginx", "openresty"},
		web: cure{"have nginx keep its connections to the upstream alive",
			`upstream { keepalive 64; } proxy_http_version 1.1; proxy_set_header Connection "";`, idleRisk},
	},
	{
		names: []string{"envoy"},
		web: cure{"have Envoy keep its connections to the cluster",
			"no max_requests_per_connection; common_http_protocol_options: { idle_timeout: 300s }; HTTP/2 to the cluster where it can", idleRisk},
	},
	{
		names: []string{"pgbouncer"},
		database: cure{"have PgBouncer keep its connections to the server",
			"pgbouncer.ini: server_idle_timeout = 600, server_lifetime = 3600, min_pool_size = default_pool_size = 20", poolIdle},
	},
	{
		names: []string{"python", "gunicorn", "uvicorn", "celery"},
		web: cure{"make one session for the whole Python process",
			"requests.Session(), httpx.Client() or aiohttp.ClientSession(), made once and not for each request", idleRisk},
		database: cure{"pool the connections in the Python process",
			"SQLAlchemy: create_engine(pool_size=20), once; Django: CONN_MAX_AGE = 60", poolRisk},
	},
	{
		names: []string{"curl", "wget"},
		web: cure{"fetch several URLs with one call instead of calling in a loop: it uses its connection again",
			"curl --parallel --config FILE, with a line url = … for each; wget --input-file FILE", "one call that fails stops what follows unless it is told not to"},
	},
	{
		names: []string{"ab"},
		web:   cure{"have ab keep its connections alive", "ab -k", "this measures another load"},
	},
	{
		names: []string{"puma", "ruby", "unicorn", "sidekiq"},
		web: cure{"keep Ruby's HTTP connections open",
			"Net::HTTP.start with a block for several requests, or Faraday with net_http_persistent", idleRisk},
		database: cure{"pool the connections in the Ruby process", "database.yml: pool: 20, as many as there are threads", poolRisk},
	},
	{
		names: []string{"go", "__debug_bin"},
		web: cure{"share one Transport in the Go process, with room for idle connections: it keeps 2 for each host by default",
			"one http.Client with http.Transport{MaxIdleConnsPerHost: 64}; read each body to its end and close it", idleRisk},
		database: cure{"let database/sql keep more idle connections: 2 by default", "db.SetMaxIdleConns(20); db.SetMaxOpenConns(20); one sql.DB for the whole process", poolRisk},
	},
	{
		names: []string{"hyper", "reqwest"},
		web:   cure{"make one client for the whole Rust process", "one reqwest::Client, cloned and not made anew; pool_max_idle_per_host(64)", idleRisk},
	},
}

// clientCure is the cure that the process of the finding asks for.
func (t *teller) clientCure() (cure, bool) {
	p := t.finder()
	if p == nil {
		return cure{}, false
	}
	for i := range clients {
		if c := &clients[i]; c.runs(p) {
			return c.towards(t.Tuple.Port)
		}
	}
	return cure{}, false
}

// towards is the cure for connections to a port.
func (c *client) towards(port uint16) (cure, bool) {
	chosen := cure{}
	switch services.KindOf(port, source.TCP) {
	case services.Database:
		chosen = c.database
	case services.Web, services.Search, services.Monitoring, services.Cluster, services.Unknown:
		chosen = c.web
	}
	return chosen, chosen.what != ""
}

// runs reports whether a process is of the program, by its name or by what its
// command line begins with: some call their threads something else.
func (c *client) runs(p *source.Process) bool {
	command, _, _ := strings.Cut(p.Command, " ")
	for _, name := range [...]string{p.Name, path.Base(strings.TrimSuffix(command, ":"))} {
		if slices.ContainsFunc(c.names, func(known string) bool {
			rest, ok := strings.CutPrefix(strings.ToLower(name), known)
			return ok && !startsWithLetter(rest)
		}) {
			return true
		}
	}
	return strings.Contains(command, "/go-build") && c.names[0] == "go"
}

// startsWithLetter tells "nodejs-exporter" from "node", but not "python3.11" from
// "python".
func startsWithLetter(s string) bool {
	return s != "" && (s[0] >= 'a' && s[0] <= 'z' || s[0] == '-' || s[0] == '_')
}
