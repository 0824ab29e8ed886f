package recording

import (
	"hash/maphash"
	"math"
	"reflect"
	"strconv"
	"time"

	"ephtop/source"
)

// row is a socket as it is recorded. The Process and Expires of its socket are
// 0: Owner and Until say these in the terms of the recording.
type row struct {
	ID    uint32        `json:"id"`
	Owner uint32        `json:"process"` // id of the process, or 0
	Until time.Duration `json:"until"`   // since the start, in whole milliseconds
	source.Socket
}

// left is what is left at now of a timer that runs out at until, in
// milliseconds.
func left(until, now time.Duration) int64 { return max(0, until.Milliseconds()-now.Milliseconds()) }

// sockets are those of one namespace, from moment to moment. The id of each is
// one more than its index in rows; that of a socket that is gone is free again.
type sockets struct {
	seed   maphash.Seed
	origin time.Duration // of the rows' until
	rows   []digest
	free   []uint32
	order  []uint32 // the indices of the sockets of the last moment
	spare  []uint32
	turn   uint8
	gone   []uint32 // indices that the last match found no socket for
	byKey  map[uint64]uint32
}

// digest is what is kept of a socket to tell what changes of it: there may be
// hundreds of thousands. Nobody can make up two with the same hash, for these
// are seeded.
type digest struct {
	key    uint64 // hash of what never changes
	rest   uint64 // hash of what seldom does
	rx, tx uint32
	until  uint32 // milliseconds since the origin; 0 for no timer, or late
	timer  source.Timer

	retransmits uint8
	turn        uint8 // when it was seen last
	fresh       bool  // for the first time
}

const (
	late   = math.MaxUint32 // an until that 32 bits can't hold
	unseen = math.MaxUint32 // the index of a socket that is not known yet
)

// reset forgets all sockets.
func (t *sockets) reset(now time.Duration) {
	t.seed, t.origin, t.byKey = maphash.MakeSeed(), now.Truncate(time.Millisecond), nil
	t.rows, t.free, t.order = t.rows[:0], t.free[:0], t.order[:0]
}

// constant are the fields that are the same where the key is.
var constant = [...]string{"id", "local", "local_port", "remote", "remote_port", "proto", "interface", "cookie"}

// moving are the fields that a digest keeps as they are, so that others need not
// be looked at where the rest is the same.
var moving = [...]string{"until", "timer", "retransmits", "rx", "tx"}

// key is a hash of what stays the same of a socket, through TIME_WAIT too. Many
// without a peer may have the same port, and never lose their inode.
func (t *sockets) key(s *source.Socket) uint64 {
	k := source.Socket{
		Local: s.Local, LocalPort: s.LocalPort, Remote: s.Remote, RemotePort: s.RemotePort,
		Proto: s.Proto, Interface: s.Interface, Cookie: s.Cookie,
	}
	if s.RemotePort == 0 {
		k.Inode = s.Inode
	}
	return maphash.Comparable(t.seed, k)
}

// rest is a hash of what is neither in the key nor kept as it is.
func (t *sockets) rest(s *source.Socket, owner uint32) uint64 {
	k := *s
	k.Local, k.LocalPort, k.Remote, k.RemotePort = source.Addr{}, 0, source.Addr{}, 0
	k.Proto, k.Interface, k.Cookie = 0, 0, 0
	k.ReceiveQueue, k.SendQueue, k.Expires, k.Timer, k.Retransmits = 0, 0, 0, 0, 0
	k.Process = int32(owner)
	return maphash.Comparable(t.seed, k)
}

// match finds the sockets of a moment among those of the one before, and notes
// which are new and gone.
func (t *sockets) match(list []source.Socket) {
	t.turn++
	next := grow(t.spare[:0], len(list))[:len(list)]
	missed := 0
	of, key := -1, uint64(0)
	source.Align(len(list), len(t.order), func(i, j int) bool {
		if of != i {
			of, key = i, t.key(&list[i])
		}
		return t.is(t.order[j], key)
	}, func(i, j int) {
		if j < 0 {
			next[i] = unseen
			missed++
			return
		}
		next[i] = t.order[j]
		t.see(next[i])
	})
	if missed > 0 {
		t.find(list, next, missed)
	}
	t.gone = t.gone[:0]
	for _, n := range t.order {
		if t.rows[n].turn != t.turn {
			t.gone = append(t.gone, n)
			t.rows[n] = digest{}
		}
	}
	t.free = append(t.free, t.gone...)
	t.order, t.spare = next, t.order
}

// find looks everywhere for the sockets that were not where they were expected,
// and takes in those that are new.
func (t *sockets) find(list []source.Socket, next []uint32, missed int) {
	if t.byKey == nil {
		t.byKey = make(map[uint64]uint32)
	}
	clear(t.byKey)
	for _, n := range t.order {
		if d := &t.rows[n]; d.turn != t.turn {
			t.byKey[d.key] = n
		}
	}
	t.rows = grow(t.rows, missed-len(t.free))
	for i := range next {
		if next[i] != unseen {
			continue
		}
		key := t.key(&list[i])
		n, known := t.byKey[key]
		if known && t.is(n, key) {
			t.see(n)
		} else {
			n = t.add(key)
		}
		next[i] = n
	}
}

// grow gives s room for n more elements at once, and not for as many more as
// append would.
func grow[T any](s []T, n int) []T {
	if cap(s)-len(s) >= n {
		return s
	}
	n += len(s)
	return append(make([]T, 0, n+n/16), s...)
}

// is tells whether an index is that of the socket with a key, and not taken yet.
func (t *sockets) is(n uint32, key uint64) bool {
	return t.rows[n].key == key && t.rows[n].turn != t.turn
}

func (t *sockets) see(n uint32) { t.rows[n].turn, t.rows[n].fresh = t.turn, false }

// add takes in a new socket.
func (t *sockets) add(key uint64) uint32 {
	n := uint32(len(t.rows))
	if k := len(t.free); k > 0 {
		n, t.free = t.free[k-1], t.free[:k-1]
	} else {
		t.rows = append(t.rows, digest{})
	}
	t.rows[n] = digest{key: key, turn: t.turn, fresh: true}
	return n
}

// keep has d be what is kept of a row.
func (t *sockets) keep(d *digest, r *row, rest uint64) {
	d.rest, d.rx, d.tx, d.timer, d.retransmits = rest, r.ReceiveQueue, r.SendQueue, r.Timer, r.Retransmits
	d.until = 0
	if r.Until > 0 {
		d.until = uint32(min((r.Until - t.origin).Milliseconds(), late))
	}
}

// recall has those fields of a row that d keeps be as it says.
func (t *sockets) recall(d *digest, r *row) {
	r.ReceiveQueue, r.SendQueue, r.Timer, r.Retransmits, r.Until = d.rx, d.tx, d.timer, d.retransmits, t.until(d)
}

func (t *sockets) until(d *digest) time.Duration {
	if d.until == 0 {
		return 0
	}
	return t.origin + time.Duration(d.until)*time.Millisecond
}

// foretell is when the timer of a socket runs out: when it was to before, unless
// that has turned out wrong.
func (t *sockets) foretell(d *digest, s *source.Socket, now time.Duration) time.Duration {
	until := t.until(d)
	off := left(until, now) - int64(s.Expires)
	if s.Timer != d.timer || d.until == late || max(off, -off) > TimerTolerance.Milliseconds() {
		return deadline(s, now)
	}
	return until
}

// deadline is when the timer of a socket runs out.
func deadline(s *source.Socket, now time.Duration) time.Duration {
	if s.Expires == 0 {
		return 0
	}
	return now.Truncate(time.Millisecond) + time.Duration(s.Expires)*time.Millisecond
}

func ownerOf(s *source.Socket, ids []uint32) uint32 {
	if s.Process < 0 || int(s.Process) >= len(ids) {
		return 0
	}
	return ids[s.Process]
}

// appendChanged appends the fields of sockets that changed, and where one that
// seldom does changed, all of these.
func (w *Writer) appendChanged(s *source.Snapshot, t *sockets) error {
	begin := `,"changed":[`
	for i, n := range t.order {
		d, k := &t.rows[n], &s.Sockets[i]
		if d.fresh {
			continue
		}
		owner := ownerOf(k, w.known.ids)
		rest, until := t.rest(k, owner), t.foretell(d, k, w.now)
		all := rest != d.rest || d.until == late
		if !all && k.ReceiveQueue == d.rx && k.SendQueue == d.tx && until == t.until(d) &&
			k.Timer == d.timer && k.Retransmits == d.retransmits {
			continue
		}
		w.setRow(n, owner, until, k)
		w.was = w.row
		t.recall(d, &w.was)
		form, base := w.moving, &w.moved
		if all {
			form, base = w.socket, &w.base
		}
		*base = form.values(*base, reflect.ValueOf(&w.was).Elem())
		if all {
			form.forget(*base, constant[:])
		}
		t.keep(d, &w.row, rest)
		b := strconv.AppendUint(append(append(w.b, begin...), `{"id":`...), uint64(n)+1, 10)
		w.b = append(form.append(b, *base, reflect.ValueOf(&w.row).Elem()), '}')
		begin = ","
		if err := w.packPiece(); err != nil {
			return err
		}
	}
	if begin == "," {
		w.b = append(w.b, ']')
	}
	return nil
}

// appendFresh appends the sockets that are new.
func (w *Writer) appendFresh(s *source.Snapshot, t *sockets) error {
	begin := `,"sockets":[`
	last := uint32(0)
	for i, n := range t.order {
		d, k := &t.rows[n], &s.Sockets[i]
		if !d.fresh {
			continue
		}
		owner := ownerOf(k, w.known.ids)
		w.setRow(n, owner, deadline(k, w.now), k)
		t.keep(d, &w.row, t.rest(k, owner))
		if last++; w.row.ID == last {
			w.row.ID = 0
		} else {
			last = w.row.ID
		}
		w.b = append(append(w.b, begin...), '{')
		w.b = append(w.socket.append(w.b, w.socket.zero, reflect.ValueOf(&w.row).Elem()), '}')
		begin = ","
		if err := w.packPiece(); err != nil {
			return err
		}
	}
	if begin == "," {
		w.b = append(w.b, ']')
	}
	return nil
}

// setRow has w.row be a socket.
func (w *Writer) setRow(n, owner uint32, until time.Duration, s *source.Socket) {
	w.row = row{n + 1, owner, until, *s}
	w.row.Process, w.row.Expires = 0, 0
}
