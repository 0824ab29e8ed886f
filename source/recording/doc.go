// Package recording keeps snapshots in a file, reads them back, plays them as
// a [source.Source], and makes them anonymous.
//
// # Format, version 1
//
// A recording is JSON Lines under zstd (RFC 8878): `zstd -dc FILE | jq` shows
// it. The first line is the header, each further line is one moment, and the
// last line says that the recording is whole.
//
//	{"recording":"ephtop","version":1,"start":"2026-11-22T12:00:00.5Z","program":"ephtop 1.0"}
//	{"n":0,"t":0,"full":true,"took":0.027,"host":"db1","os":"linux",…,"settings":{…},
//	 "processes":[{"id":1,"pid":812,"start":9153,"name":"api","command":"/usr/bin/api -v","uid":33,"user":"www"}],
//	 "sockets":[{"id":1,"proto":"tcp","state":"ESTABLISHED","local":"10.0.0.9:41823","remote":"10.0.9.2:5432",
//	   "process":1,"uid":33,"inode":5711,"cookie":99},…]}
//	{"n":1,"t":1.0003,"took":0.026,"gone":[7,9],
//	 "changed":[{"id":1,"state":"TIME_WAIT","process":0,"timer":"timewait","until":61.2,"uid":0,"inode":0}],
//	 "sockets":[{"id":12,…}]}
//	{"end":true,"moments":2}
//
// Of a moment:
//
//   - n counts the moments from 0, and t is the time since the header's start.
//     All times are seconds with up to 9 decimals. They go by the recorder's
//     monotonic clock where it has one, so that rates come out the same; if
//     the clock is set meanwhile, the recording keeps to what it was at the
//     start. n and t stand first, then full, so that who looks for a time
//     needn't read on.
//   - full says that the moment stands alone. Every 60th does, from the first
//     one on, and begins a zstd frame, so that reading can begin there. Any
//     other moment holds the changes against the moment before.
//   - host, os, kernel, source, bound_listed, traced, settings and degraded
//     hold until they are given again. Absent from a full moment, they are
//     empty or false. took, lost and events are of this moment only.
//   - sockets are the new ones (all, in a full moment), changed those of which
//     something changed, gone the ids of those that are no more; likewise
//     processes (new or changed) and ended. All are sorted by id, a number
//     of the recording's own, counted from 1. That of a process is not used
//     again; those of sockets are given anew by each full moment (cookie tells
//     a socket for longer). A socket without an id has one more than the
//     socket before it in the list.
//     The order of the fields of a moment is the one above: ended, processes,
//     gone, changed, sockets.
//   - Of a socket or process, a field that is left out is as it was; it is
//     0, false or empty in one that is new. process 0 is none.
//   - until is when the socket's timer runs out, on the scale of t and in
//     whole milliseconds: what is left is until − t, at least 0. It is written
//     when the timer appears, and again when it is set anew. So a timer that
//     merely ticks takes no space, and what is left may be off by up to half a
//     second ([TimerTolerance]). 0 is no timer.
//   - queues (rx and tx) are exact, and so is everything else.
//   - events are what the kernel told since the moment before. at is on the
//     scale of t, actor is an index into the moment's actors, the processes
//     that did it.
//   - A byte that is not UTF-8 is written as \udc80 to \udcff, as Python's
//     surrogateescape does it.
//
// A moment is written as whole zstd blocks, and at once: a recording is good
// up to the moment where it is cut, and can be read from a pipe while it is
// written.
//
// # Growth
//
// A later version of this program may add fields anywhere; readers skip
// fields that they don't know. What would make an older reader misread a
// recording raises the version, and readers refuse a higher version than
// their own.
//
// # Bounds
//
// A reader takes nothing on trust: the window of zstd, the length of a line
// and of a string, the number of sockets, processes and events, and the depth
// of unknown fields are bounded (the constants in limits.go), and ids, indices,
// ports, states and times are checked.
//
// The package depends on package source and on the zstd of
// github.com/klauspost/compress. It must not know what the figures mean or how
// a person sees them.
package recording
