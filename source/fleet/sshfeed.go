package fleet

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"ephtop/source/guard"
	"ephtop/source/spawn"
)

// SSHFeed is a feed of hosts on which ephtop watches: an ssh each, which writes a
// line a poll. What one of them does not do holds up no other.
type SSHFeed struct {
	SSH
	Targets []Target
	// Interval is from poll to poll, there; ephtop's own if zero.
	Interval time.Duration

	patience patience // of tests
}

// SSHPatience is how long a figure of such a host holds: an ephtop on a host in
// trouble may look once a minute.
const SSHPatience = 90 * time.Second

// patience is how long what may take.
type patience struct {
	slot  time.Duration // a handshake keeps others waiting
	line  time.Duration // until the first line, and from one to the next twice that
	again time.Duration // until a host is tried again for the first time
}

var usualPatience = patience{slot: 6 * time.Second, line: time.Minute, again: 2 * time.Second}

// The most handshakes at a time: of all hosts, and of those that are tried again, so
// that those which do not answer leave room for the others.
const (
	mostHandshakes = 8
	mostRetries    = 4
)

// leastBetween is the least time between two lines of a host that are told of.
const leastBetween = 100 * time.Millisecond

// Run implements [Feed].
func (f *SSHFeed) Run(ctx context.Context, tell func(Report)) {
	if f.patience == (patience{}) {
		f.patience = usualPatience
	}
	by := spawn.NewStarter()
	defer by.Close()
	g := newGate(mostHandshakes, mostRetries, len(f.Targets))
	var hosts sync.WaitGroup
	for _, t := range f.Targets {
		hosts.Add(1)
		go func() {
			defer hosts.Done()
			told := func(h Host) { h.Name = t.String(); tell(Report{Hosts: []Host{h}}) }
			if err := guard.Do(func() error { f.follow(ctx, by, g, t, told); return nil }); err != nil {
				told(Host{Trouble: Trouble{Failed, err.Error()}})
			}
		}()
	}
	hosts.Wait()
}

// follow watches one host, again and again.
func (f *SSHFeed) follow(ctx context.Context, by *spawn.Starter, g *gate, t Target, tell func(Host)) {
	for tries := 0; ; tries++ {
		leave, ok := g.enter(ctx, tries > 0)
		if !ok {
			return
		}
		lines, trouble := f.watch(ctx, by, t, leave, tell)
		leave()
		if ctx.Err() != nil {
			return
		}
		tell(Host{Trouble: trouble})
		if lines > 0 {
			tries = 0
		}
		if !sleep(ctx, wait(f.patience.again, trouble.Kind, tries)) {
			return
		}
	}
}

// watch watches until that ends, and says how many lines came and why no more do.
func (f *SSHFeed) watch(ctx context.Context, by *spawn.Starter, t Target, leave func(), tell func(Host)) (int, Trouble) {
	r, err := f.start(ctx, by, t, "watch -o json"+every(f.Interval))
	if err != nil {
		return 0, Trouble{Failed, notStarted(err).Error()}
	}
	slot := time.AfterFunc(f.patience.slot, leave)
	defer slot.Stop()
	var lines atomic.Int64
	silence := time.AfterFunc(f.patience.line, func() {
		before := lines.Load()
		// It may be us who stood still: then there is something to read.
		sleep(r.ctx, f.patience.line/12)
		if lines.Load() == before {
			r.cancel(errSilent)
		}
	})
	defer silence.Stop()
	var c clock
	noise, err := readLines(r.out, func(l *Line) {
		lines.Add(1)
		leave()
		silence.Reset(2 * f.patience.line)
		now := time.Now()
		tell(Host{Summary: l.Summary(), Time: now.Add(-c.age(l.written(), now))})
		sleep(r.ctx, leastBetween)
	})
	if errors.Is(err, errNoLine) {
		r.cancel(err)
	}
	trouble := r.end()
	if errors.Is(err, errNoLine) {
		trouble = Trouble{Garbled, noise}
	}
	return int(lines.Load()), trouble
}

// mostNoise is how many lines in a row may be none of a watch: shells greet, and a
// program that is told to write a line a second is no shell.
const mostNoise = 100

// mostAtOnce is how much is read, in bytes, until a line is taken though there are
// more: of a host that writes without end too.
const mostAtOnce = 1 << 16

// readLines reads a watch up to its end, or until it is noise; then the first words
// of that are returned. Of the lines that are there at once the last is taken.
func readLines(r io.Reader, take func(*Line)) (noise string, err error) {
	in := bufio.NewReaderSize(r, LongestLine)
	var last *Line
	takeLast := func() {
		if last != nil {
			take(last)
			last = nil
		}
	}
	defer takeLast()
	for n, read := 0, 0; n < mostNoise; {
		b, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return noise, err
		}
		read += len(b)
		if l, err := ParseLine(b); err == nil {
			n, noise, last = 0, "", &l
		} else if n++; noise == "" {
			noise = firstLine(string(b))
		}
		// Lines are written whole: where there is half of one, the rest is coming.
		if in.Buffered() == 0 || read >= mostAtOnce {
			takeLast()
			read = 0
		}
	}
	return noise, errNoLine
}

// wait is how long to wait before a host is tried again: twice as long each time,
// up to a minute, and longer for what does not mend itself. Hosts that failed
// together do not come back together.
func wait(first time.Duration, kind TroubleKind, tries int) time.Duration {
	most := 30 * first
	switch kind {
	case Denied, UnknownKey, NoEphtop, TooOld, Garbled:
		first, most = 8*first, 5*most
	}
	d := min(first<<min(tries, 10), most)
	return d/2 + rand.N(d)
}

// gate bounds the handshakes. None is tried again before each was tried.
type gate struct {
	all, again chan struct{}
	untried    atomic.Int64
	tried      chan struct{} // closed when there are none
}

func newGate(all, again, hosts int) *gate {
	g := &gate{all: make(chan struct{}, all), again: make(chan struct{}, again), tried: make(chan struct{})}
	g.untried.Store(int64(hosts))
	return g
}

// enter waits for room, and gives what leaves it again: once, however often it is
// called.
func (g *gate) enter(ctx context.Context, again bool) (leave func(), ok bool) {
	take := func(room chan struct{}) bool {
		select {
		case room <- struct{}{}:
			return true
		case <-ctx.Done():
			return false
		}
	}
	if again {
		select {
		case <-g.tried:
		case <-ctx.Done():
			return nil, false
		}
		if !take(g.again) {
			return nil, false
		}
	}
	if !take(g.all) {
		if again {
			<-g.again
		}
		return nil, false
	}
	if !again && g.untried.Add(-1) == 0 {
		close(g.tried)
	}
	return sync.OnceFunc(func() {
		<-g.all
		if again {
			<-g.again
		}
	}), true
}
