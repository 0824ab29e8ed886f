package recording

import (
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"ephtop/source"
)

// Anonymizer replaces in snapshots what tells who and where. One Anonymizer
// gives the same stand-in for the same original, and different ones for
// different originals, so that the model's figures stay what they are. The
// stand-ins are drawn at random and what stands for what is kept nowhere but
// in the Anonymizer's memory.
//
// Replaced are addresses, the host's name, names of processes, users and their
// ids but root's, command lines (by the stand-in of the process), all of the
// kernel's release behind the version, and what is said in Degraded, but for
// the sentences of this program that say nothing of the host.
//
// Kept are ports, states, queues and timers, times, pids and other numbers of
// the kernel's own (inodes, cookies, cgroups, interfaces), the settings, and
// the addresses that are the same everywhere: wildcards, loopback, broadcast
// and well-known multicast groups.
//
// It is not safe for concurrent use.
type Anonymizer struct {
	classes *classes
	addrs   map[source.Addr]source.Addr
	uids    map[uint32]uint32
	texts   [numTexts]map[string]string
}

// The kinds of text that have stand-ins.
const (
	hostText = iota
	processText
	userText
	numTexts
)

var textNames = [numTexts]string{"host", "process", "user"}

// maxStandIns bounds what an Anonymizer remembers of each kind.
const maxStandIns = 1 << 22

// ErrTooMany says that a recording has more addresses or names than an
// Anonymizer can tell apart.
var ErrTooMany = errors.New("too many different addresses or names to make anonymous")

// NewAnonymizer makes an Anonymizer whose stand-ins nobody can foretell.
func NewAnonymizer() (*Anonymizer, error) {
	var seed [32]byte
	if _, err := crand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("draw a random key: %w", err)
	}
	return newAnonymizer(seed), nil
}

func newAnonymizer(seed [32]byte) *Anonymizer {
	a := &Anonymizer{
		classes: newClasses(rand.New(rand.NewChaCha8(seed))),
		addrs:   make(map[source.Addr]source.Addr),
		uids:    make(map[uint32]uint32),
	}
	for i := range a.texts {
		a.texts[i] = make(map[string]string)
	}
	return a
}

// Apply replaces in s, in place. After an error, which wraps ErrTooMany, s must
// not be used.
func (a *Anonymizer) Apply(m *source.Moment) error {
	s := flatten(m)
	if err := a.apply(s); err != nil {
		return err
	}
	s.lift(m)
	return nil
}

func (a *Anonymizer) apply(s *flat) error {
	s.Host = a.text(hostText, s.Host)
	s.Kernel = release(s.Kernel)
	// The list may be shared with other snapshots.
	s.Degraded = slices.Clone(s.Degraded)
	for i := range s.Degraded {
		s.Degraded[i] = harmless(s.Degraded[i])
	}
	for i := range s.Sockets {
		k := &s.Sockets[i]
		k.Local, k.Remote = a.addr(k.Local), a.addr(k.Remote)
		k.UID = a.uid(k.UID)
	}
	for i := range s.Processes {
		a.process(&s.Processes[i])
	}
	for i := range s.Events {
		e := &s.Events[i]
		e.Tuple.Local, e.Tuple.Remote = a.addr(e.Tuple.Local), a.addr(e.Tuple.Remote)
		a.process(&e.Process)
	}
	return a.full()
}

func (a *Anonymizer) full() error {
	most := max(len(a.addrs), len(a.uids))
	for _, t := range a.texts {
		most = max(most, len(t))
	}
	if most > maxStandIns {
		return ErrTooMany
	}
	return nil
}

func (a *Anonymizer) process(p *source.Process) {
	name := p.Name
	p.Name = a.text(processText, name)
	if p.Command != "" {
		p.Command = a.text(processText, name) + " …"
	}
	number := p.User == strconv.FormatUint(uint64(p.UID), 10)
	p.UID = a.uid(p.UID)
	switch {
	case number:
		p.User = strconv.FormatUint(uint64(p.UID), 10)
	case p.User != "root":
		p.User = a.text(userText, p.User)
	}
}

// text gives "process-17" for the 17th name, and nothing for none.
func (a *Anonymizer) text(kind int, original string) string {
	if original == "" {
		return ""
	}
	known := a.texts[kind]
	standIn, ok := known[original]
	if !ok {
		standIn = textNames[kind] + "-" + strconv.Itoa(len(known)+1)
		known[original] = standIn
	}
	return standIn
}

// uid gives a stand-in of a user id. Root is root everywhere.
func (a *Anonymizer) uid(original uint32) uint32 {
	if original == 0 {
		return 0
	}
	standIn, ok := a.uids[original]
	if !ok {
		standIn = firstStandInUID + uint32(len(a.uids))
		a.uids[original] = standIn
	}
	return standIn
}

// firstStandInUID is above the ids that systems give to their users.
const firstStandInUID = 3_000_000_000

// release keeps the version of a kernel and drops the rest, which may name who
// built it: "6.18.5" of "6.18.5-acme".
func release(s string) string {
	if end := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); end >= 0 {
		s = s[:end]
	}
	return s
}

// ours are how sentences of this program begin that say nothing of the host. A
// number may stand before them.
var ours = [...]string{
	"the socket tables changed during the dump",
	"some sockets have no process",
	"processes of other users are hidden",
	"process of another user is hidden",
	"sockets of other users are hidden",
	"UDP sockets are not seen",
	"the kernel's sock_diag can't be used",
	"closes and failed connects are not traced",
	"some closes and failed connects may be missing",
	"traced events were lost",
	"sockets that no process holds are not listed",
	"the time left of TIME_WAIT is not known",
	"bound and unconnected TCP sockets are not listed",
	"sockets that share all addresses and ports (SO_REUSEPORT) count as one",
	"the port range could not be read",
}

// harmless keeps what this program says, and drops what it quotes.
func harmless(s string) string {
	text := strings.TrimLeft(s, "0123456789 ")
	for _, o := range ours {
		if strings.HasPrefix(text, o) {
			return s[:len(s)-len(text)] + o
		}
	}
	return "something could not be seen (why is left out: it may tell of the host)"
}

// Anonymize is src, made anonymous by a.
func Anonymize(src source.Source, a *Anonymizer) source.Source { return &anonymous{src, a} }
