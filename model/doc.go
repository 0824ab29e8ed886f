// Package model says what a moment means: [source.Moment]s and the past go in,
// an [Overview] with a [State] for each network namespace comes out. It does
// no I/O, reads no clock (time comes with the moment, so that a replay means
// what the live run meant), and knows nothing of terminals.
//
// What follows are the kernel's rules that its numbers rest on, and what it
// makes of them. The rules were measured on Linux 6.18, in network namespaces
// with a range of 100 ports where no other is named, or stand in the kernel
// function named. The tests in kernel_*_linux_test.go measure them again, with
// the model's answer held against the kernel's.
//
// # Who blocks whom
//
// connect() without bind() picks the port in __inet_hash_connect. It skips
// each port that was bound explicitly, for every destination; otherwise only
// the four-tuple must be free. So the same port means different things,
// depending on who holds it:
//
//	holder of a port in the range             connect(),     connect(),     bind(ip, 0),
//	                                          same tuple     another tuple  same ip
//	A  connected without bind(), or with      blocked        free           blocked
//	   IP_BIND_ADDRESS_NO_PORT; any live state
//	B  TIME_WAIT of A                         blocked (1)    free           blocked
//	C  bound first, then connected            blocked        blocked (2)    blocked
//	D  TIME_WAIT of C                         blocked (3)    blocked        blocked
//	E  bound, not connected                   blocked        blocked        blocked
//	F  listener in the range, or a            blocked        blocked        blocked
//	   connection accepted from one
//	G  the server's side of a connection      free           free           free
//	   whose port is outside the range
//
//	(1) unless tcp_tw_reuse lets connect() take it over, see below
//	(2) over IPv6 too
//	(3) tcp_tw_reuse is no help, and it is so for the whole 60 s
//
// Of 100 ports, one destination takes exactly 100 connects before
// EADDRNOTAVAIL. Each further destination address, destination port or source
// address gives 100 more. bind(ip, 0) gives 100 in all for each local address
// before EADDRINUSE, and from then on a plain connect() to any destination
// gets none. 50 bound sockets leave 50 to each destination, 10 reserved ports
// leave 90. A v4-mapped IPv6 socket shares the tuples of IPv4, which is why
// [source.Addr] has one form for both.
//
// Row C is more common than it looks: a Go net.Dialer with a LocalAddr is one,
// and so is every proxy that binds a source address without
// IP_BIND_ADDRESS_NO_PORT.
//
// Therefore "sockets in the range by size of the range" says nothing: a host
// can hold 200,000 connections on 28,232 ports in good health, or fail with
// 15 % of its ports in use.
//
// UDP is one pool, whatever the destination: connect() and sendto() first bind
// on the wildcard (udp_lib_get_port), and give EAGAIN when it is full. Only
// bind(ip, 0) has a pool for each local address.
//
// # What is computed
//
// For each namespace and protocol, with R the range less the reserved ports
// and C their number ([Pressure].Usable), from local ports only:
//
//   - H, the ports blocked for everyone ([Pressure].Blocked), known or counted
//     from what a dump shows: see below.
//   - The use of a tuple ([TupleUse]): the ports of R that it holds in any
//     state, together with H and with the suspected ports of others. Free is
//     the rest of C. The worst tuple is the headline ([Pressure.Headline]),
//     for it is where connect() fails first.
//   - The pool ([Pressure].InUse): the distinct ports of R that any socket
//     holds. It can be full on a healthy host, and is the headline only where
//     the system has no regard to the destination ([source.Settings].PoolOnly)
//     and for UDP. Sockets by ports is never shown as a percentage.
//   - The bind pools ([BindPool]): the distinct ports of R held on one local
//     address or on a wildcard that covers it, by any socket; for a wildcard, on
//     any address of its family. Where callers bind, the fullest is the headline
//     if it is fuller than the worst tuple (ScopeBind).
//   - Reusable: a TIME_WAIT that is not in H and is at least tcp_tw_reuse_delay
//     old (1 s), with timestamps on and tcp_tw_reuse 1, or 2 and one end
//     loopback or the socket bound to lo (tcp_twsk_unique). It is counted
//     apart, for a dump does not tell whether both ends negotiated timestamps:
//     the kernel's tables do ([source.Socket].Stamps), and live connections to
//     the same destination.
//     Kernels without tcp_tw_reuse_delay may begin at another age: on 6.1
//     reuse was seen to.
//   - The first half. connect() tries the ports with the parity of the range's
//     low end first, and bind(ip, 0) the others (inet_csk_find_open_port). Its
//     use is counted ([TupleUse].FirstHalf): see "Slow connect".
//   - Missed. connect() looks at an even number of ports (remaining &= ~1U in
//     __inet_hash_connect), so that in a range with an odd number each scan of
//     the first half leaves one out: the high end where it begins at the low
//     one, else the low end. Where it begins depends on the tuple, and a failure
//     does not move it. Where one end alone is free, or one of two, it can't be
//     counted on, and is neither used nor free ([TupleUse].Missed). The high one
//     of three ports is never looked at. A range of one port is no such case.
//   - The worst tuple is the one that fails first: by the share of its ports that
//     is free or reusable, not by what is used.
//
// A tuple is of one interface too ([TupleKey].Interface): a socket that is bound
// to one blocks its four-tuple for those that are bound to the same one, a socket
// that is bound to none blocks it for everyone outside of VRFs (inet_match).
//
// # Private pools
//
// A caller may have ports for itself, and run out of them while the range is
// empty. What is seen of them is a tuple of its own, with a [Limit]:
//
//	source-ports      connections from ports that no listener has: outside of the range,
//	source-port       or in it where the tables say that bind() named them
//	                  (SOCK_BINDPORT_LOCK, Linux 6.18). Children of a listener that is gone share one
//	                  port, and go to many
//	local-port-range  IP_LOCAL_PORT_RANGE: connect() takes every port there and not every
//	                  second one, so that runs of ports stand in a tuple whose first half
//	                  is not used up
//	reserved-ports    600 to 1023, of NFS and RPC clients (bindresvport)
//
// But for the last, nothing tells how wide such a pool is. It is called full when
// all between its ends is held, 10 ports at least, the ends are round (2000 to
// 2019, not 2000 to 2011: who takes its ports in order has room behind), and it
// has not grown for 5 s; from one look alone, when it has no hole. So a pool that is
// filled in order, and rests at a round port, is taken for a full one, and one with
// ends that are not round never is. Named ports of the range, and whether
// a run of ports was bound, are known from the tables only: from a dump, the former
// are not seen and the latter is no alarm.
//
// TIME_WAIT lasts 60 s (TCP_TIMEWAIT_LEN) whatever tcp_fin_timeout says, so
// its age is 60 s less the time left on its timer. No counter of
// /proc/net/snmp or /proc/net/netstat moves when connect() fails with
// EADDRNOTAVAIL: 500 failures moved none. [Failures] are counted where the
// kernel is traced (packages source/tables and source/trace), and nowhere else.
// bind() refuses with EADDRINUSE, which a port that was named and is taken gives
// too: that is no want of ports. Nor is an EADDRNOTAVAIL that comes before the
// socket changes its state: then an address is wanting. UDP without a port says
// EAGAIN when it connects or sends.
//
// # H, and how to know it
//
// __inet_hash_connect looks at the bind bucket of a port. One that was made by
// an explicit bind() (fastreuse or fastreuseport not negative) is skipped for
// every destination; connect() itself makes buckets with −1. Where the kernel's
// own tables are read ([source.Snapshot].BlockedKnown), they say which ports
// these are, and H is what they say, whatever the sockets look like:
//
//	who blocks         rows C, D, E and F ([Row].Blocking): from Linux 6.18 on the socket
//	                   says whether connect() bound it, before that all that are on a
//	                   blocked port are taken for it
//	connections of     count as their tuple's own, so that Live and TimeWait are what they
//	rows C and D       were; for every other tuple they are Blocked. None can be reused
//	a blocked port     counts all the same: the two tables are not read in one instant
//	without a socket
//	in a VRF           the same port may be free: a bucket is of one layer-3 domain
//	                   (inet_bind_bucket.l3mdev), and so is a tuple by its interface
//
// One thing is not told apart: a connection accepted from a listener that was
// gone before anybody looked counts with those that were bound first. Where the
// tables can't be read, connect() itself can be asked, port by port (package
// source/probe); then H is what it says, outside of VRFs.
//
// A dump does not show the bucket. What it shows, and what is made of it:
//
//	certain, counted as Blocked       listeners, and every other socket of the same port, also
//	                                  when the listener is gone; bound and unconnected TCP
//	                                  sockets, which are listed by Linux 6.8 and later
//	                                  (Snapshot.BoundListed); those that the kernel told of as
//	                                  they were connected (source.BoundFirst)
//	certain, not blocked              IP_BIND_ADDRESS_NO_PORT (source.BindConnect), as long as
//	                                  it is not used with a port by number
//	suspected, counted as Suspected   rows C and D, which look like A and B: told by their ports
//
// The suspicion goes by the order in which the two tell ports apart, on systems
// that do (Settings.Parity, Linux). connect() comes to the second half of the
// ports when the first is used up for its tuple; bind(0) comes to the first when
// the second is used up on its address, or with SO_REUSEADDR, of the lower half
// of the range. A socket is judged once, when it is new, and what is held of it
// stays with it, whatever its state or the range is later:
//
//	second half   bound, if its tuple's first half was not crowded (80 %) when it came. If
//	              that was not seen: if the second half has more of the tuple than chance leaves,
//	              or the first has hardly anything (30 %); not TIME_WAIT that may be the rest
//	              of a crowded time. Where both are full, if the inodes say that the second
//	              was filled first.
//	first half    bound, if the address's other ports are used up (95 %), and its process or,
//	              if that is not known, its tuple has such sockets already;
//	              not where a quarter of its tuple's ports are another's of its address too:
//	              bind(0) gives no such port
//	neither       where the ports follow one another, in the order of inodes and closes, as
//	              connect() walks (table_perturb): under another low end than that of now, or
//	              in a range of the caller's own (IP_LOCAL_PORT_RANGE)
//	children      two of one local port, each with another peer on a port of the range, are a
//	              listener's that is gone
//
// What remains unseen, or is seen wrongly, and is why it is called a suspicion:
// ports of the first half that were bound by number; the only child of a
// listener that was gone before the first look; bound sockets among a crowd of
// others to the same destination, and TIME_WAIT that fills both halves, at the
// first look; who made fewer than about eight sockets in a range of their own or
// under another low end, any number of them where the range has but a few dozen
// ports, or processors that take turns mix up the inodes.
//
// # Slow connect
//
// Once a tuple has used up the first half, every connect() scans it again in
// vain: measured with the default range, the median went from 6.9 µs at 49 % to
// 1,130 µs at 50 %, which is 80 ns for each port that is passed. What counts is
// therefore how many ports are passed before one that can be had, free or
// reusable: those of the first half by those that can be had in it, and where
// there are none, all of them and those of the second half likewise. connect()
// is slow from 1,000 on ([TupleUse.SlowConnect]), some 80 µs. So it is not in a
// narrow range, and not where the first half is full of TIME_WAIT that can be
// taken over, however full it is.
//
// # Outlook
//
// Where the use is going is one small simulation with one verdict ([Outlook]):
// full, levels off, drains, steady, or not known. Everything that speaks of the
// future reads it, so that no two figures disagree. What goes into it:
//
//	what is held      live, blocked and suspected ports, and how they grow
//	TIME_WAIT         each leaves when its time is over
//	closes            go on as now; each keeps its port for 60 s
//	tcp_tw_reuse      or for the reuse delay only, where connect() may take it over
//	tcp_max_tw_buckets  there are no more TIME_WAIT than that in the namespace. Once
//	                  they are all there, closes don't show, and they stay as many
//
// All but the growth can be told from one look. The rate of closes is taken from
// the TIME_WAIT younger than [ClosingSpan]. Where two seconds of these hold
// nearly all, that was a burst and is no rate: the others tell it. A tuple that
// reuses, and whose first half is crowded, shows only the closes younger than
// the delay, since older ones have been taken over.
//
// Only a close that another connection comes for takes one port more. One that
// nothing comes for takes none: what was ESTABLISHED held its port, and holds it in
// TIME_WAIT for as long. So where what is held falls by most of what is closed, that
// part is no rate of use, and there are no more such closes than is held.
//
// A growth is smoothed, and ends when it ends: when the newest change goes the
// other way, or when so much time passed that it would have brought three ports
// and did not. It is one only if it is more than a quarter of how much the number
// moves whichever way; otherwise connections of a pool come and go.
//
// Where connect() takes over TIME_WAIT, it takes the first port that is free or
// old enough as it walks through the first half, F. So TIME_WAIT settle at about
// F × (1 − exp(−60 c/F)) for c closes a second, which is the first half at most as
// long as that has c × delay ports; and the use is full only when neither a free
// nor a reusable port is left.
//
// [Outlook].Sustainable is the rate of closes that a tuple bears for good:
// (C − live − H) / 60 s, which is 470 a second for the default range, or by the
// reuse delay where reuse applies: 28,232 a second. Measured with 100 ports and a
// delay of 1 s, 97 closes a second go on for ever, and 110 fail.
//
// # Levels
//
// From 60 % of the headline it is a warning, from 80 % critical; both can be
// set ([Thresholds]). It is exhausted only when no port is free that connect()
// can be counted on to find, or for [FailureSpan] after a connect or a bind was
// seen to find no port. A tuple without a free port, but with reusable ones, is
// critical: connect() still succeeds, if timestamps were negotiated. Slow connect
// is a [Finding] beside the level.
//
// # Whose is a TIME_WAIT?
//
// The kernel has forgotten: uid and inode of such a row are fillers. And to
// have looked before is not enough where connections are short: of those that
// live 5 ms, 200 a second, a poll each second saw 0.56 % alive. So an owner
// comes with how sure it is, a [Tier]:
//
//	traced     the kernel told who closed it (ESTABLISHED → FIN_WAIT1, in the closing thread)
//	observed   a poll saw the socket alive with its process
//	inferred   likely the process that was seen to close towards the same destination;
//	           State.Likely says how often
//	unknown
//
// Who is alive there proves nothing: what lives on did not close, and an idle pool
// is seen at every look. What counts is a socket that one look saw alive and the
// next one in TIME_WAIT. Its timer says how long after the look it was closed: half
// of its life, on average. One that lives a hundredth of the time between two looks
// was seen once in a hundred times, so each close that was seen stands for as many
// that were not. Who cannot account for what is there is not named.
//
// A socket is known again from poll to poll by [source.Socket.Identity], its
// four-tuple, unless something contradicts that it is the same one: both cookies
// are known and differ, or both inodes; it lives and was in TIME_WAIT; it is in
// TIME_WAIT since after the look before, and was so then. A TIME_WAIT keeps the
// cookie of the connection that it comes from if anything asked for it while that
// lived. Every dump does, and nothing else need have.
//
// # Namespaces
//
// Range, sockets and tuples belong to one network namespace; the processes are
// the host's. So a [Fleet] has a tracker for each [source.Scope], which
// remembers what takes a past, and one memory for what is needed during an
// update only, lent from one to the next. [Overview].States holds what they
// say, worst first, and [Overview].Focus which of them to show.
//
// A number of a namespace that comes back with another cookie is another
// namespace. One whose rows are from an earlier moment ([source.Snapshot].Age)
// stands still: its clock is that of its last look, and it has a rate only from
// one look to the next. One that has no snapshot is forgotten, but for what
// failed there, which [Overview].Elsewhere counts until somebody looks, or until
// there is no such namespace any more. An event without a cookie is laid to
// whoever has its number at that look.
//
// # Memory
//
// It goes by the number of rows, of which each takes some 50 bytes here, and by
// that of tuples, which take a kilobyte. So there are figures of maxTuples at
// most, of those that hold the most ports ([Pressure].Scattered counts the
// connections of the others, and a [source.LimitTuples] says so). A tuple that
// is left out holds no more ports than any that has figures, so that what fails
// first is among them.
//
// # Other systems
//
//	             range                                    default       ports   TIME_WAIT
//	Linux        net.ipv4.ip_local_port_range, IPv6 too   32768–60999   28,232  60 s
//	 before 4.2                                           32768–61000   28,233  60 s
//	macOS        net.inet.ip.portrange.first, .last       49152–65535   16,384  2 × 15 s
//	FreeBSD      the same                                 10000–65535   55,536  2 × 30 s
//	Windows      netsh int ipv4 show dynamicport tcp      49152–65535   16,384  2 min, not confirmed
//
// On macOS connect() has no regard to the destination when it picks a port (by
// XNU's source; not tried), so there the pool is the limit. Parity means
// something on Linux only.
//
// # Dependencies
//
// The package depends on package source and the standard library. It must not
// know how a moment was come by, nor how a person sees what it says.
package model
