// Package command is the command line of ephtop: one file for each command,
// and the flags that mean the same everywhere. It reads what the user wrote,
// says in one line what is wrong with it, and hands a source to a face.
//
// What follows is the contract with users, scripts and monitoring systems, of
// the dashboard too. What is new is added; nothing that is there changes its
// meaning silently.
//
// # Commands
//
//	ephtop                    the dashboard on this host
//	ephtop demo [SCENARIO]    the dashboard on a simulated host (--scenario, --seed, --speed)
//	ephtop record FILE        poll without a screen and write a recording (--duration,
//	                          --anonymize, --force); - is standard output
//	ephtop replay FILE        the dashboard on a recording (--speed); - is standard input, so
//	                          that a live one can be piped over ssh
//	ephtop anonymize IN OUT   copy a recording without saying who and where (--keep-names, --force)
//	ephtop export REC OUT     a film, a report or a table of a recording, to be shared (--as, --at,
//	                          --as-is, --keep-names, --size, --speed, --idle-limit, --by, --findings,
//	                          --keys, --force); - is standard input, and output
//	ephtop snapshot           one poll, -o text, json, csv or prometheus
//	ephtop check              one poll in one line, for monitoring systems (--on tuple, pool, plateau
//	                          or any)
//	ephtop doctor             the checklist, gone through (--for, --probe), -o text or json
//	ephtop serve              metrics for Prometheus (--web.listen-address, --web.config.file,
//	                          --textfile, --keep, --top, --min-share, --no-destinations)
//	ephtop watch              a line a poll, -o text or json; for other hosts, over ssh
//	ephtop fleet HOST…        many hosts in one table, worst first (--hosts FILE, --prometheus URL,
//	                          --match SELECTOR, --ssh COMMAND, --remote-command COMMAND, --demo)
//	ephtop version, completion, man, help
//
// snapshot, check and doctor look at a recording with --from FILE (- is
// standard input) and at a simulated host with --demo SCENARIO and --seed: at
// its last moment, or the one of --at. Of a time of day, as in --at 12:04:31,
// the zone is the local one, or with Z UTC. record takes --demo too, and
// with it --speed N or max: faster than time goes by, the same bytes each time.
// watch and serve take --demo, --seed and --speed as the dashboard of a demo does.
//
// The dashboard, record, watch, serve and doctor have the kernel tell who closes and which
// connects fail (Linux), as --trace says: auto, the default, where they may, which
// takes root, or CAP_BPF and CAP_PERFMON where the kernel's tables can be read; off,
// never; on, an error where that can't be. --trace alone is on. In the dashboard
// the key t turns it on and off. It stops by itself where events come so fast that
// they would cost more than 5 % of a processor core for several seconds: of
// ephtop's time to read them and of the kernel's to tell them.
//
// Of several network namespaces, the dashboard shows one at a time, first the
// worst; snapshot, check, doctor and watch speak of the worst and name it. With --netns
// they speak of another: of a recording and a demo too.
//
// # Flags of every command that polls
//
//	--interval TIME      from one poll to the next, 100ms to 1h; 1s, or ten times what a poll takes where that is
//	                     more. An interval that was asked for is kept down to twice what a poll takes
//	--filter EXPR        see below
//	--source SOURCE      auto, tables, sockdiag or portable, as far as this system has them; auto
//	--netns WHICH        all, self, or a namespace by its name, a pid in it or a path; all
//	--range LOW-HIGH     instead of the system's range
//	--warn PERCENT       60
//	--critical PERCENT   80
//	--nat PORTS          how many ports a NAT on the way has for each destination; 1 to 10000000. What this host holds
//	                     of them has a gauge, findings, a level: that of what lives, and for what is closed, whose
//	                     port it may have freed, a warning at most. check then judges any, if --on says nothing else
//	--color WHEN         auto, always or never; NO_COLOR is honoured by auto
//	--theme THEME        default, light, colorblind, nord or mono
//	--ascii              nothing but ASCII on the screen
//	--log FILE           append a debug log; it never goes to the screen
//
// # Errors and exit statuses
//
// A wrong flag, value or file gives one line on standard error that says what
// was wrong and what is accepted, or what was meant where that is near. Where
// standard output is no terminal, or one that TERM calls dumb or nothing at all,
// the dashboard says so and names snapshot.
//
// Of a recording that was cut, snapshot, check and doctor take the last whole
// moment, say so in a line on standard error, and end as of a whole one.
//
//	       most   check              doctor
//	0      well   ok                 no point worse than ok or not known
//	1      failed warning            a warning, or failed
//	2      usage  critical, or more  a problem, or usage
//	3             unknown: whatever went wrong, a wrong flag too, is said in the line itself
//
// What polls on and on (record, watch, serve) ends with status 0 when it is told to by
// SIGINT, SIGTERM or SIGHUP, and watch also when nobody reads on. Its first poll must
// succeed. SIGHUP has serve read its web configuration again, and not end.
//
// # Filter expressions
//
// The same language for --filter and for the key /. Terms are joined by spaces
// and must all hold, ! before a term negates it, commas inside a value mean or.
// Text without a key matches process, address, port or state.
//
//	state:TIME_WAIT,close-wait,tw   proc:nginx  proc=nginx   pid:4410   user:www-data
//	local:10.0.0.0/8   remote:2001:db8::/32   addr:10.0.9.2:443   cmd:--worker
//	lport:32768-40000  rport:443,https  port:53   proto:udp   age>30s   owner:inferred
//	ns:shop/api   container:redis   unit:nginx.service
//
// Keys and states are case-insensitive. A wrong expression says where and why,
// and in the dashboard leaves the last good one in force; that a filter is on
// is always shown. Package model/filter holds the language and the rest of it.
//
// # Keys
//
//	q F10 ctrl+c           quit; q and F10 close what is open first
//	? F1                   help
//	f                      findings: enter unfolds one, ↑ ↓ come by its commands
//	tab shift+tab ← → h l  pane
//	↑ ↓ j k pgup pgdn      move; ctrl+b and ctrl+f are pgup and pgdn
//	home end g G           first, last
//	1 2 3                  connections, destinations, network namespaces and pools of SNAT and NAT
//	enter                  on a state or a consumer: filter by it; on a connection: details;
//	                       on what is folded or a destination: its connections; on a
//	                       namespace: all of it; esc comes back to the same line
//	/ F3 F4                filter
//	esc                    back, or clear the filter; in the list of namespaces, follow the
//	                       worst again
//	s S                    choose what the list is sorted by: a letter is a column, s again
//	                       (or F6) the next one, esc and q close; reverse
//	z                      unfold what is in TIME_WAIT, of which one destination and owner
//	                       have one line, or fold it
//	b                      consumers by process, destination, service, user; by container and
//	                       unit where control groups are known
//	p                      TCP, UDP, both
//	space                  hold the view; polling goes on. Then ← → home [ ] look back as in a
//	                       replay, up to 10 minutes; space, esc and end show the present
//	+ -                    poll less, more often
//	t                      trace, or trace no more
//	n                      services by name or number
//	y                      copy the four-tuple, of a fold or a destination both ends; in the findings the
//	                       command under the cursor (OSC 52)
//	r                      start, stop a recording in the working directory; after q its path
//	                       and the command that plays it are printed
//	E                      write a report of what is on screen there, as Markdown; after q its
//	                       path is printed. In the table of hosts it means nothing
//	ctrl+l ctrl+z          draw anew; suspend
//
// In a replay of a file, ← → seek by a second and with shift by ten, home and
// end go to its ends, [ ] to where the level changed, and space stops and goes
// on. < > halve and double the speed, in a demo too. While a filter is typed,
// enter keeps it, esc takes the one before, tab goes on with a key, a state or a
// name that is on screen, ↑ ↓ go through the filters of the session, and the
// editing keys are a shell's. The beginning of a term changes nothing until it is
// one. A key that means nothing says so.
//
// # Many hosts
//
// fleet follows hosts by "ssh HOST ephtop watch -o json", one for each, or by what a
// Prometheus server knows of ephtop serve. --interval is from poll to poll there, or
// from one refresh to the next (5s). ssh asks nothing (BatchMode) and gives up after 5 s; at most 8
// shake hands at a time; a host that fails is tried again after 2 s, and later and later, up to a
// minute (five where somebody has to mend it). All end with ephtop. A host is written
// as ssh takes it, host, user@host, either with :port, or ssh://…; one that begins
// with - or holds a mark of a shell is refused, in a file with its line.
//
// Of Prometheus three questions are asked a refresh, the one about the last 24 hours
// once a minute. Hosts are the label instance, without the port where all have one.
// Name and password may stand in the URL, and are never shown; in EPHTOP_PROMETHEUS, which
// stands for --prometheus, others do not see them in a list of processes. --match has matchers
// of labels, with or without braces.
//
// Rows are sorted by level, then by where the use settles (plateau), in whole
// percent. Hosts that do not answer are grey and below those at warning or worse:
// unreachable, denied, host key not trusted, no ephtop, ephtop too old, no answer, not understood,
// ended, gone (from Prometheus), failed. So is one whose figures are older than 90 s, or 3 minutes by
// Prometheus. Where Prometheus itself fails, the table keeps what it had, marked stale.
//
//	enter           the dashboard of the host, by ssh HOST ephtop record -; one that can't be
//	                opened says why
//	esc             back from it, where it has nothing nearer to go back from; gives up opening;
//	                clears the filter
//	/ F3 F4         filter: words that must all be in host, destination, holder, namespace, level
//	                or trouble; ! before one negates it
//	s F6 S          sort by the next column; reverse
//	↑ ↓ j k pgup pgdn home end g G ? F1 ctrl+l ctrl+z q F10
//	                as in the dashboard
//
// # Exports
//
// export goes by the ending of OUT, or --as:
//
//	cast         asciicast v2, with markers where the level changes; with --at from there on
//	svg          a picture that plays in SVG and CSS; with --at a still one. Without --theme it
//	             is dark or light as its reader prefers
//	html         a player in one file that needs no network, with the findings of the worst
//	             moment below; #t=46 after its address begins it there. Times are those of
//	             the recording from the first frame on, --speed is what it begins with
//	md           a report: of the moment of --at, or of the worst: with the highest level, of
//	             these with the highest percentage of use, of these the last
//	json, csv    a line for each moment, or for that of --at
//
// A line of json is what snapshot -o json writes, but that without --filter it has no
// connections. The columns of csv are
//
//	time, host, namespace, level, usable, tcp_in_use, tcp_percent, udp_in_use, udp_percent
//	worst_proto, worst_source, worst_destination, worst_port, worst_used, worst_free,
//	worst_percent, worst_time_wait, worst_closes_per_second, worst_plateau
//	             of what fails first, as of watch
//	verdict, in_seconds, settles_at
//	             its outlook
//	holder_pid, holder, holder_owner
//	             who has most of it
//	failures     since the start; empty where they are not observed
//	bound, syn_sent, …
//	             sockets by state
//
// The same recording and the same flags give the same bytes. --size, --speed,
// --idle-limit, --by, --findings and --keys are of cast, svg and html, which are made
// of a file and of nothing that comes through a pipe. --filter changes nothing in md,
// and in csv only which protocol the states are of.
//
// Unless it says that it is anonymous, as those of demos do, a recording is made so on
// the way. The stand-ins are drawn by its first moment: nobody can foretell them who has
// not got that, and they are the same in all formats. --as-is keeps all. What was replaced
// and what was kept is said on standard error.
//
// # JSON
//
// snapshot -o json writes one object:
//
//	time, host, os, source   time in UTC with milliseconds
//	range        {low, high, ports, reserved, usable}
//	pool         {tcp: {in_use, percent}, udp: {…}}
//	level        ok, warning, critical or exhausted
//	findings     [{problem, level, title, seen, why, remedies: [{what, command, config, effect, risk}],
//	             namespace}], command is what can be typed, config what to configure
//	tuples       [{source, destination, port, used, free, percent, blocked, suspected, blocked_known, time_wait,
//	             reusable, first_half_percent, slow_connect, closes_per_second,
//	             sustainable_closes_per_second, plateau, seconds_to_full, level,
//	             processes: [{pid, name, ports}]}], worst first
//	states       {ESTABLISHED: 491, …}, every socket of the protocol; agrees with ss
//	processes    [{pid, name, ports, likely, sockets, states, container, unit, ended}], ports are
//	             distinct ports of the range, likely those of them that are merely inferred
//	kinds        [{proto, kind, ports, sockets}]
//	bind_pools   {tcp: [{address, used, free, percent, level}], udp: […]}
//	connections  [{proto, state, local, remote, ephemeral, pid, process, owner, uid, inode,
//	             expires_ms}]
//	failures     {observed, count, by: [{pid, name, destination, port, count}]};
//	             where there are any, binds and udp of count, refused (no such
//	             address), taken (a port that was named), each with its _by,
//	             unplaced and lost; but for connects, by has kind, proto, address
//	             and local_port too
//	degraded     ["…"], what could not be seen
//	nat_on_the_way
//	             [{destination, port, proto, used, ports, percent, live, opening, unanswered, time_wait,
//	             closed, level, process: {pid, name}, namespace}], with --nat; fullest first
//	namespace    {id, name, kind}, what all but the next is about
//	namespaces   [{id, name, kind, pid, level, percent, bound_percent, exact, age_ms, sockets,
//	             worst: {destination, port}}], worst first
//
// doctor -o json has time to level, and then
//
//	sample       {polls, seconds}
//	verdict      the worst point's: ok, not known, warning or problem
//	points       [{point, topic, title, verdict, seen: ["…"], next: ["…"]}]
//	evidence     what the host said beside its sockets: source.Evidence, or null
//
// and findings, kinds, failures, degraded, namespace and namespaces as above.
//
// watch -o json writes one object a poll on a line of its own, of less than 900 bytes:
//
//	time, host, version, level
//	             version of ephtop; names are cut where they are long
//	worst        {proto, source, destination, port, used, usable, percent, time_wait, plateau,
//	             closes_per_second}, what fails first. source, destination and port are left out
//	             where it is the whole range (UDP), the last two where it is bind() on source.
//	             plateau is where used settles, or what it would take. snat: true where it is
//	             the ports that source is translated to, of which time_wait give way
//	holder       {pid, name, owner}, who has most of it, or null; owner as of a connection
//	outlook      as above, of worst; of UDP full where no port is left, else unknown
//	failures     {observed, connects, seconds}, the connects of TCP that failed in the last
//	             seconds, 300 at most; nothing is said where it is not observed
//	namespace    the name of the namespace that all this is about; left out where nothing is
//	             known of namespaces
//
// # Metrics
//
// serve has the page at /metrics of 127.0.0.1:10768 and of the addresses of
// --web.listen-address in its place, and in the file of --textfile; with the latter
// alone, whose name ends in .prom, it listens on nothing. What can't be seen is said on
// standard error, each kind of it once. It answers GET and HEAD, /-/healthy too, from the last
// poll: every 2s, by --interval 100ms to 5s. The prefix is ephtop_, and what has no
// other type is a gauge. Where several network namespaces have been looked at, what
// has the label netns* has it, and what has no label for it is about the worst.
//
//	build_info                       version, goversion
//	polls_total, poll_failures_total, trace_lost_events_total
//	                                 counters
//	poll_duration_seconds, poll_interval_seconds, last_poll_timestamp_seconds
//	limits, trace_enabled            what could not be seen; 1 where traced
//	flight_recordings_total          recordings of trouble (--keep), and
//	flight_recording_info{file}      the last one
//	range_low_port, range_high_port, reserved_ports, usable_ports
//	pool_used_ports                  proto
//	blocked_ports                    certainty (known, suspected)
//	worst_used_ports, worst_time_wait_ports, worst_reusable_ports, worst_plateau_ports,
//	worst_closes_per_second, worst_sustainable_closes_per_second,
//	worst_first_half_used_ratio      of the destination that fails first
//	worst_exhaustion_seconds         until then; +Inf where that does not come
//	time_wait_started_total          counter
//	level                            0 ok, 1 warning, 2 critical, 3 exhausted; of all namespaces
//	level_seconds_total              counter; level. The time between two polls counts for what
//	                                 the second finds; where it is more than 15 s, for nothing
//	connect_failures_total           counter; absent where not traced
//	sockets                          proto, state
//	time_wait_limit_sockets          tcp_max_tw_buckets
//	tuples, tuples_exported
//	tuple_used_ports, tuple_time_wait_ports, tuple_closes_per_second,
//	tuple_first_half_used_ratio      source, destination, port, netns*
//	process_ports                    process (its name)
//	bind_pool_used_ports             proto, address, netns*
//	netns_worst_used_ratio, netns_level
//	                                 netns, kind; where there are several
//	nat_on_the_way_used_ports, nat_on_the_way_ports
//	                                 destination, port, proto; with --nat, of all namespaces
//	findings                         problem; those of level warning or worse
//
// tuple_, process_ and netns_ have --top series of a name at most, bind_pool_ and nat_ five:
// of what holds --min-share percent of the ports. Who has series has them for ten
// minutes after, at 0 where it is gone, and gives them up to one that holds more when
// it has had them for ten minutes. snapshot -o prometheus has no counters.
//
// The names of states are netstat's: LISTEN, SYN_SENT, SYN_RECV, ESTABLISHED,
// FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK, CLOSING, TIME_WAIT, CLOSE, and
// BOUND for bound and unconnected. A socket is ephemeral when its local port
// is in the range and not reserved. owner is unknown, inferred, observed or
// traced. What a field means where that is open is said at report.JSON and
// report.CSV.
//
// # Dependencies
//
// The package depends on the packages under source and ui that it brings
// together. How a source is opened and how the dashboard is shown is handed
// in, so that it need not know either.
package command
