// Package recording keeps moments in a file, reads them back, and plays them as
// a [source.Source].
//
// # Format, version 2
//
// A recording is JSON Lines under zstd (RFC 8878): `zstd -dc FILE | jq` shows
// it. The first line is the header. Then comes for each moment a line of what is
// true of the host, and behind it a line for each network namespace. The last
// line says that the recording is whole.
//
//	{"recording":"ephtop","version":2,"start":"2026-11-22T12:00:00.5Z","program":"ephtop 1.0"}
//	{"n":0,"t":0,"full":true,"scopes":1,"mono":5003.2,"took":0.027,"host":"db1","os":"linux",…,
//	 "processes":[{"id":1,"pid":812,"start":9153,"name":"api","command":"/usr/bin/api -v","uid":33,"user":"www"}]}
//	{"n":0,"scope":{"host":"db1","netns":4026531840,"kind":"host"},"settings":{…},"bound_listed":true,
//	 "sockets":[{"process":1,"local":"10.0.0.9","local_port":41823,"remote":"10.0.9.2","remote_port":5432,
//	   "proto":"tcp","state":"ESTABLISHED","uid":33,"inode":5711,"cookie":99},…]}
//	{"n":1,"t":1.0003,"scopes":1,"mono":5004.2003,"took":0.026}
//	{"n":1,"scope":{"host":"db1","netns":4026531840,"kind":"host"},"gone":[7,9],
//	 "changed":[{"id":1,"process":0,"until":61.2,"state":"TIME_WAIT","timer":"timewait","uid":0,"inode":0,…}],
//	 "sockets":[{"id":7,…}]}
//	{"end":true,"moments":2}
//
// So the sockets of one namespace are
//
//	zstd -dc FILE | jq -c 'select(.scope.name == "web") | .sockets[]?'
//
// The fields of [source.Moment], [source.Snapshot], [source.Scope],
// [source.Socket], [source.Process] and [source.Event] have the names of their
// json tags. Where package json has another form, theirs is:
//
//   - A duration is seconds with up to 9 decimals. A time is seconds since the
//     header's start, null where it is not known. They go by the recorder's
//     monotonic clock where it has one, so that rates come out the same; if the
//     clock is set meanwhile, the recording keeps to what it was at the start.
//     All times lie in the years 0000 to 9999.
//   - An address is its text, without a zone; the empty one is "::".
//   - Protocols, states, timers, kinds of event and of scope are their names, or
//     their numbers where they have none.
//   - A text is valid UTF-8: what is not is written as U+FFFD. It is cut to 128
//     KiB, behind a whole character.
//
// Of the first line of a moment:
//
//   - n counts the moments, from 0 unless the beginning was dropped (see
//     [Ring]), and t is the time since the header's start,
//     which does not go back. full says that the moment stands alone. The first
//     one does, the first of another source, and every 60th from there on: it
//     begins a zstd frame, so that reading can begin there. Any other moment holds the changes against the moment
//     before. scopes is the number of lines that follow. These four stand first,
//     in this order, so that who looks for a time needn't read on.
//   - A field that is left out is as it was in the moment before; it is 0, false
//     or empty in a full moment. One that is given is given whole.
//   - ended are the ids of the processes that are no more, then processes are
//     those that are new or changed.
//   - events, with all their fields, are of this moment only.
//
// Of the line of a namespace:
//
//   - n is that of the moment, and scope says which namespace it is: host and
//     netns do, and no other line of the moment has the same. They stand first.
//     Where the cookie is another than before, it is another namespace.
//
//   - Other fields are as they were in the moment before, if that had the
//     namespace. If not, or in a full moment, it begins anew.
//
//   - gone are the ids of the sockets that are no more, changed those of which
//     something changed, sockets those that are new (all, in a full moment), in
//     this order.
//
//   - blocked are the ports that are blocked for everyone and were not (all, in a
//     full moment), freed those that are so no more. Both rise, and three or more
//     in a row are a pair: [32769,[40000,40010]] are twelve ports. vrfs holds the
//     same for each VRF in which something changed, under its interface.
//
//   - Beyond 50,000 sockets beside those of the largest namespace, the others
//     have no line. They are in quiet then, and limits says so.
//
// Of sockets and processes:
//
//   - id is a number of the recording's own, counted from 1 anew in each full
//     moment; sockets are counted by namespace. An id that is free again is given
//     again, and none is left out. (cookie tells a socket for longer, and from
//     another with the same addresses and ports.) A new socket without an id has
//     one more than the socket before it in the list, the first one 1.
//   - A field that is left out is as it was, one that is given may be; it is 0,
//     false or empty in one that is new. process is the id of a socket's process,
//     0 is none.
//   - until is when the socket's timer runs out, on the scale of t and in
//     whole milliseconds: what is left is until − t, at least 0. It is written
//     when the timer appears, and again when it is set anew. So a timer that
//     merely ticks takes no space, and what is left may be off by up to half a
//     second ([TimerTolerance]). 0 is no timer.
//   - queues (rx and tx) are exact, and so is everything else.
//
// A moment is written as whole zstd blocks, and at once: a recording is good
// up to its last whole moment where it is cut ([ErrCut]) or another begins
// ([ErrJoined]), and can be read from a pipe while it is written.
//
// Behind the last frame stands an index of all, so that a recording opens at once
// however long it is: the seek table of zstd's seekable format (contrib in zstd's
// repository), which zstd skips as a frame of another's. Its numbers have 32 bits,
// the low byte first, but for a byte that is 0:
//
//	0x184d2a5e, size of what follows
//	size of the frame, size of its text      for each frame
//	number of frames, 0, 0x8f92eab1
//
// It says where frames begin and nothing else: that they fill the file is checked,
// and when its moments are is read in a frame itself. A recording that was cut
// has no index, nor has one whose frames are too many for it, or too large. Where
// none fits the file, the frames are looked for.
//
// # Growth
//
// A later version of this program may add fields anywhere but before those that
// stand first; readers skip fields that they don't know. A new field of a type
// above is recorded as soon as it is there, if its type is made of those that
// have a form. What would make an older reader misread a recording raises the
// version, and readers refuse any version but their own.
//
// # Bounds
//
// A reader takes nothing on trust: the window of zstd, the length of a moment
// and of a text, the number of sockets, processes, events, namespaces, blocked ports
// and of all objects are bounded (the constants in limits.go), and ids, ports, states,
// protocols and times are checked. A writer refuses what a reader would.
//
// Beyond what any host of 200,000 sockets needs, a moment may be so large only
// as its bytes under zstd account for: a file of a few kilobytes takes little
// memory, whatever it says. There are at most 1,000 moments in a second, and at
// most 256 names in an object.
//
// The package depends on package source, the zstd of
// github.com/klauspost/compress, and github.com/go-json-experiment/json, which
// is to be encoding/json/v2. It must not know what the figures mean or how a
// person sees them. Package anonymize below it replaces who and where.
package recording
