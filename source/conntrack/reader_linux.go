package conntrack

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlink"
	"ephtop/source/procfs"
)

const (
	// wholeEntries are dumped at each look, and about so many of more.
	wholeEntries = 5000
	// Where a pool has fullShare in use, all entries are dumped at most each wholeEvery,
	// and so that it takes no more than one part in wholeShare of the time.
	wholeEvery = 5 * time.Second
	wholeShare = 50
	// movedShare is that part where the entries have become more or fewer since: by one
	// part in movedBy, or, where half of the free ports of a pool are fewer, by as many,
	// but not by less than one part in movedLeast.
	movedShare = 10
	movedBy    = 20
	movedLeast = 200
	// Looks take no more than one part in lookShare of the time while no pool is half
	// full: each walks the table of the host, 8 to 40 ms, however few the entries.
	lookShare = 100
	// tries is how often a dump is begun that another one is in the way of, or that
	// there was no memory for.
	tries = 4
)

// ErrAbsent says that there is nothing to ask.
var ErrAbsent = errors.New("connection tracking is not there")

// Reader looks at the entries of a network namespace. It is not safe for concurrent
// use.
type Reader struct {
	// Warn is the share of a pool in use, in percent, that is worth a warning.
	Warn float64

	enter func(func() error) error
	count *os.File
	max   *os.File
	conn  netlink.Conn
	open  bool // conn
	seq   uint32
	buf   []byte
	out   []byte

	rules []rule // nil where nobody asked for them

	tally      tally
	looked     look       // the last one
	whole      look       // the last one at all entries
	translates bool       // ports were given out when that was looked for
	last       source.NAT // with Pools of the last dump
}

// look is when entries were dumped, and how much of a processor that took.
type look struct {
	at   time.Time
	took time.Duration
}

// rests reports whether looks would take more than one part in share of the time.
func (l *look) rests(now time.Time, share int) bool {
	return !l.at.IsZero() && now.Sub(l.at) < time.Duration(share)*l.took
}

// Want says what a Read is to look at.
type Want uint8

// What may be wanted. A namespace in which ports are given out is looked at by each
// Read, as far as that is not too dear.
const (
	Counts Want = iota // no entry of one where none are
	Turn               // whether some are now
	Focus              // all entries
)

// SetRules tells the rules of the namespace that translate, and has the next Read look
// anew. Before, few entries are no proof that no pool is near its end; without any, a
// pool has the usual ports.
func (r *Reader) SetRules(rules []source.SNATRule) {
	r.rules, r.looked, r.whole = parseRules(rules), look{}, look{}
	if r.rules == nil {
		r.rules = []rule{}
	}
	r.tally.low = usual.Low
	for i := range r.rules {
		r.tally.low = min(r.tally.low, r.rules[i].span.Low)
	}
}

// Translates reports whether ports are given out, as far as was looked.
func (r *Reader) Translates() bool { return r.translates }

// Looked gives when entries were dumped last, zero for never, and how long it took.
func (r *Reader) Looked() (at time.Time, took time.Duration) { return r.looked.at, r.looked.took }

// Open makes a Reader of the network namespace in which enter runs functions; nil
// is that of the calling thread. The error wraps ErrAbsent where connection tracking
// is not there. Whether it Answers is to be asked before the first Read.
func Open(enter func(func() error) error) (*Reader, error) {
	if enter == nil {
		enter = func(f func() error) error { return f() }
	}
	r := &Reader{enter: enter, buf: make([]byte, netlink.BufferSize)}
	r.tally.low = usual.Low
	absent := false // and not the namespace itself, which may have ended
	err := enter(func() (err error) {
		if r.count, err = os.Open("/proc/sys/net/netfilter/nf_conntrack_count"); err != nil {
			absent = errors.Is(err, fs.ErrNotExist)
			return err
		}
		r.max, err = os.Open("/proc/sys/net/netfilter/nf_conntrack_max")
		return err
	})
	if absent {
		err = fmt.Errorf("%w: nf_conntrack is not loaded", ErrAbsent)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	// Since Linux 6.5 (netfilter: snat: evict closing tcp entries on reply tuple collision).
	before, ok := procfs.ReleaseBefore(procfs.Release(), 6, 5)
	r.tally.evicts = ok && !before
	return r, nil
}

// Entries gives the number of entries.
func (r *Reader) Entries() (int, error) { return number(r.count) }

// Close closes what is kept open.
func (r *Reader) Close() error {
	var errs []error
	for _, f := range []*os.File{r.count, r.max} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(append(errs, r.hangUp())...)
}

func (r *Reader) hangUp() error {
	if !r.open {
		return nil
	}
	r.open = false
	return r.conn.Close()
}

// Read looks at the namespace. Pools belong to the Reader until the next Read.
func (r *Reader) Read(ctx context.Context, now time.Time, want Want) (source.NAT, error) {
	n := &r.last
	var err error
	if n.Entries, err = number(r.count); err != nil {
		return *n, err
	}
	if n.Max, err = number(r.max); err != nil {
		return *n, err
	}
	if n.Counters, err = r.counters(ctx); err != nil && !errors.Is(err, unix.EPERM) {
		return *n, err
	}
	n.Age = now.Sub(r.looked.at)
	switch {
	case want != Focus && r.rules != nil && float64(n.Entries) < r.Warn/100*float64(smallest(r.rules)):
		n.Pools, n.Seen, n.Age = nil, 0, 0
		return *n, nil
	case want == Counts && !r.translates:
		n.Age = 0
		return *n, nil
	case want != Focus && r.looked.rests(now, lookShare) && (len(n.Pools) == 0 || n.Pools[0].Share() < fullShare):
		return *n, nil
	case n.Entries > wholeEntries && r.holds(now):
		return *n, nil
	}
	err = r.look(ctx, now, want == Focus)
	return *n, err
}

// holds reports whether what was seen of all entries is good for a while yet.
func (r *Reader) holds(now time.Time) bool {
	n, share := &r.last, wholeShare
	if n.Seen < n.Entries-n.Entries/4 { // or was a sample
		return false
	}
	moved := n.Entries / movedBy
	if len(n.Pools) > 0 {
		moved = max(n.Entries/movedLeast, min(moved, (n.Pools[0].Capacity()-n.Pools[0].Used)/2))
	}
	if max(n.Entries-n.Seen, n.Seen-n.Entries) > moved {
		share = movedShare
	}
	return now.Sub(r.whole.at) < wholeEvery || r.whole.rests(now, share)
}

// look counts the pools anew.
func (r *Reader) look(ctx context.Context, now time.Time, focus bool) error {
	n := &r.last
	var whole bool
	used, err := processorTime(func() (err error) { whole, err = r.dump(ctx, wholeEntries, r.tally.reset); return err })
	if err != nil {
		return err
	}
	r.looked = look{now, used}
	n.Seen, n.Age = r.tally.seen, 0
	if whole { // the others came meanwhile, or are about to end
		n.Entries = r.tally.seen
	}
	n.Pools = r.tally.give(n.Entries, r.rules)
	r.translates = len(n.Pools) > 0
	if whole || !focus && (len(n.Pools) == 0 || n.Pools[0].Share() < fullShare) {
		return nil
	}
	used, err = processorTime(func() error { _, err := r.dump(ctx, 0, r.tally.recount); return err })
	if err != nil {
		return err
	}
	r.whole = look{now, used}
	n.Seen = max(r.tally.seen, n.Entries) // what came and went meanwhile is no sample
	n.Pools = r.tally.give(0, r.rules)
	return nil
}

// processorTime is how much of a processor f takes: where others want it too, more time
// goes by.
func processorTime(f func() error) (used time.Duration, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &before); err != nil {
		return 0, fmt.Errorf("read the time of this thread: %w", err)
	}
	err = f()
	if after = before; err == nil {
		err = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &after)
	}
	return time.Duration(after.Nano() - before.Nano()), err
}

// dump adds entries to the tally, all or some more than most, and reports whether
// these are all. begin begins the tally.
func (r *Reader) dump(ctx context.Context, most int, begin func()) (whole bool, err error) {
	for range tries {
		begin()
		whole, err = r.dumpOnce(ctx, most)
		if err != nil || !whole { // a dump that is broken off would be in the way
			err = errors.Join(err, r.hangUp())
		}
		if !errors.Is(err, syscall.EBUSY) && !errors.Is(err, syscall.EINTR) && !errors.Is(err, syscall.ENOBUFS) {
			break
		}
	}
	if err != nil {
		return false, fmt.Errorf("dump entries of connection tracking: %w", err)
	}
	return whole, nil
}

func (r *Reader) dumpOnce(ctx context.Context, most int) (whole bool, err error) {
	if err := r.ask(typeGet, netlink.Request|netlink.Dump); err != nil {
		return false, err
	}
	for most == 0 || r.tally.seen < most {
		done, err := r.receive(ctx, func(b []byte) (bool, error) { return decode(b, r.seq, r.tally.add) })
		if err != nil || done {
			return done, err
		}
	}
	return false, nil
}

// counters asks for those of all processors.
func (r *Reader) counters(ctx context.Context) (c source.NATCounters, err error) {
	if err := r.ask(typeCPU, netlink.Request|netlink.Dump); err != nil {
		return c, fmt.Errorf("ask for the counters of connection tracking: %w", err)
	}
	for {
		done, err := r.receive(ctx, func(b []byte) (bool, error) {
			return each(b, r.seq, typeCPU, func(body []byte) error { return addCounters(&c, body) })
		})
		if err != nil {
			r.hangUp()
			return c, fmt.Errorf("ask for the counters of connection tracking: %w", err)
		}
		if done {
			c.Known = true
			return c, nil
		}
	}
}

// ask sends a request without attributes.
func (r *Reader) ask(kind, flags uint16) error {
	if !r.open {
		err := r.enter(func() (err error) { r.conn, err = netlink.Dial(unix.NETLINK_NETFILTER); return err })
		if err != nil {
			return err
		}
		r.open = true
	}
	r.seq++
	r.out = netlink.AppendHeader(r.out[:0], netlink.HeaderLen+nfgenLen, kind, flags, r.seq)
	r.out = append(r.out, afUnspec, 0) // family, version
	r.out = binary.BigEndian.AppendUint16(r.out, 0)
	return r.conn.Send(r.out)
}

func (r *Reader) receive(ctx context.Context, take func([]byte) (done bool, err error)) (done bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	n, err := r.conn.Receive(ctx, r.buf)
	if err != nil {
		return false, fmt.Errorf("receive: %w", err)
	}
	return take(r.buf[:n])
}

// number reads a file that holds one.
func number(f *os.File) (int, error) {
	var b [24]byte
	n, err := f.ReadAt(b[:], 0)
	if n == 0 && err != nil {
		return 0, err
	}
	i, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil {
		return 0, fmt.Errorf("read %s: not a number", f.Name())
	}
	return i, nil
}
