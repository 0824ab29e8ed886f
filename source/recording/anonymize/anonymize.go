// Package anonymize replaces in moments what tells who and where, so that a
// recording can be shown to others.
package anonymize

import (
	"context"
	crand "crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ephtop/source"
	"ephtop/source/recording"
)

// Anonymizer replaces in moments what tells who and where. One Anonymizer
// gives the same stand-in for the same original, and different ones for
// different originals, so that the model's figures stay what they are. The
// stand-ins are drawn at random, each time others, and what stands for what is
// kept nowhere but in the Anonymizer's memory. [NewRepeatable] draws the same ones
// again for who has the original.
//
// Replaced are addresses, the names of hosts and namespaces, names of processes,
// users and their ids but root's, command lines (by the stand-in of the
// process), all of the kernel's release behind the version, and what the
// system said of a limit, unless it is a number. A stand-in is of the same kind
// of address: private, shared, link-local, multicast or public. Addresses of one
// /24 (IPv6: one /64) stay beside each other.
//
// Kept are ports, states, queues and timers, times, pids and other numbers of
// the kernel's own (inodes, cookies, cgroups, interfaces), the settings, and
// the addresses that are the same everywhere: wildcards, loopback, broadcast
// and well-known multicast groups.
//
// It is not safe for concurrent use.
type Anonymizer struct {
	classes *classes // nil until the first moment of one that is repeatable
	addrs   map[source.Addr]source.Addr
	uids    map[uint32]uint32
	texts   map[string]map[string]string // by kind and original
	kept    map[string]bool              // names of processes to keep: whether there was one
	spent   bool                         // no stand-in is left
}

// maxStandIns bounds what an Anonymizer remembers of each kind.
const maxStandIns = 1 << 20

// ErrTooMany says that a recording has more addresses or names than an
// Anonymizer can tell apart.
var ErrTooMany = errors.New("too many different addresses or names to make anonymous")

// NewAnonymizer makes an Anonymizer whose stand-ins nobody can foretell.
func NewAnonymizer() (*Anonymizer, error) {
	var seed [32]byte
	if _, err := crand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("draw a random key: %w", err)
	}
	a := NewRepeatable()
	a.draw(seed)
	return a, nil
}

// NewRepeatable makes an Anonymizer whose stand-ins are the same each time that it
// is given the same moments. They are drawn by the first one, of which all counts: a
// clock of nanoseconds, command lines, cookies. So nobody can foretell them who
// hasn't that moment, and who has it needs no more.
func NewRepeatable() *Anonymizer {
	return &Anonymizer{addrs: make(map[source.Addr]source.Addr), uids: make(map[uint32]uint32), texts: make(map[string]map[string]string)}
}

// draw has the stand-ins be those of a key.
func (a *Anonymizer) draw(key [32]byte) { a.classes = newClasses(rand.New(rand.NewChaCha8(key))) }

// drawBy has the stand-ins be those of a moment.
func (a *Anonymizer) drawBy(m *source.Moment) error {
	sum := sha256.New()
	w, err := recording.NewWriter(sum, recording.Header{})
	if err == nil {
		err = w.Write(m)
	}
	if err != nil {
		return fmt.Errorf("make a key of the first moment: %w", err)
	}
	a.draw([32]byte(sum.Sum(nil)))
	return nil
}

// Keep has an Anonymizer that was not used yet leave processes of these names
// their names. Their command lines are replaced all the same.
func (a *Anonymizer) Keep(names []string) {
	a.kept = make(map[string]bool, len(names))
	for _, name := range names {
		a.kept[name] = false
	}
}

// Tally is how many different originals an Anonymizer has met of each kind.
type Tally struct {
	Hosts, Addresses, Processes, Users, Pods, Containers, Units, Namespaces int
	// Kept are the names of processes that were kept, Unseen those of Keep that
	// no process had.
	Kept, Unseen []string
}

// Tally counts what was replaced.
func (a *Anonymizer) Tally() Tally {
	named := func(kinds ...source.ScopeKind) (n int) {
		for _, k := range kinds {
			n += len(a.texts[k.String()])
		}
		return n
	}
	t := Tally{
		Hosts: len(a.texts["host"]), Processes: len(a.texts["process"]), Users: max(len(a.uids), len(a.texts["user"])),
		Pods: named(source.ScopePod), Containers: named(source.ScopeContainer), Units: named(source.ScopeUnit),
		Namespaces: named(source.ScopeNamed, source.ScopeUnnamed),
	}
	for original, standIn := range a.addrs {
		if original != standIn {
			t.Addresses++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.kept)) {
		if a.kept[name] {
			t.Kept = append(t.Kept, name)
		} else {
			t.Unseen = append(t.Unseen, name)
		}
	}
	return t
}

// Apply replaces in m, in place. After an error, m must not be used: one that wraps
// ErrTooMany, or of a first moment that can't be recorded.
func (a *Anonymizer) Apply(m *source.Moment) error {
	if a.classes == nil {
		if err := a.drawBy(m); err != nil {
			return err
		}
	}
	m.Host = a.text("host", m.Host)
	m.Kernel = release(m.Kernel)
	// The list may be shared with other moments.
	m.Limits = slices.Clone(m.Limits)
	for i := range m.Limits {
		if strings.Trim(m.Limits[i].Detail, "0123456789 ") != "" {
			m.Limits[i].Detail = ""
		}
	}
	m.Limits = slices.DeleteFunc(m.Limits, func(l source.Limit) bool { return l == source.Limit{} })
	for i := range m.Snapshots {
		s := &m.Snapshots[i]
		a.scope(&s.Scope)
		for j := range s.Sockets {
			k := &s.Sockets[j]
			k.Local, k.Remote = a.addr(k.Local), a.addr(k.Remote)
			k.UID = a.uid(k.UID)
		}
		s.Rest = slices.Clone(s.Rest) // shared as well
		for j := range s.Rest {
			r := &s.Rest[j]
			r.Local, r.Remote = a.addr(r.Local), a.addr(r.Remote)
		}
	}
	for i := range m.Quiet {
		a.scope(&m.Quiet[i].Scope)
	}
	m.NATs = slices.Clone(m.NATs)
	for i := range m.NATs {
		a.nat(&m.NATs[i])
	}
	for i := range m.Cgroups {
		a.cgroup(&m.Cgroups[i])
	}
	for i := range m.Processes {
		a.process(&m.Processes[i])
	}
	for i := range m.Events {
		e := &m.Events[i]
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
	if a.spent || most > maxStandIns {
		return ErrTooMany
	}
	return nil
}

func (a *Anonymizer) scope(s *source.Scope) {
	s.Host = a.text("host", s.Host)
	if s.Kind == source.ScopeHost && s.Name == "host" { // our own word, which names nobody
		return
	}
	s.Name = a.text(s.Kind.String(), s.Name)
}

func (a *Anonymizer) nat(n *source.NAT) {
	n.Pools = slices.Clone(n.Pools)
	for i := range n.Pools {
		p := &n.Pools[i]
		p.Address, p.Remote, p.Flows = a.addr(p.Address), a.addr(p.Remote), slices.Clone(p.Flows)
		for j := range p.Flows {
			f := &p.Flows[j]
			f.Local, f.Remote = a.addr(f.Local), a.addr(f.Remote)
		}
	}
}

// cgroup gives a container the name that its namespace has, if they had one.
func (a *Anonymizer) cgroup(c *source.Cgroup) {
	c.Path = a.text("cgroup", c.Path)
	c.Unit = a.text("unit", c.Unit)
	c.Container = a.text(c.Kind.String(), c.Container)
}

func (a *Anonymizer) process(p *source.Process) {
	if _, keep := a.kept[p.Name]; keep {
		a.kept[p.Name] = true
	} else {
		p.Name = a.text("process", p.Name)
	}
	if p.Command != "" {
		p.Command = p.Name + " …"
	}
	number := p.User == strconv.FormatUint(uint64(p.UID), 10)
	p.UID = a.uid(p.UID)
	switch {
	case number:
		p.User = strconv.FormatUint(uint64(p.UID), 10)
	case p.User != "root":
		p.User = a.text("user", p.User)
	}
}

// StandIn gives what stands for an address or a name of the moments so far; "" where
// nothing does, or not for all that are called so.
func (a *Anonymizer) StandIn(original string) string {
	if addr, err := netip.ParseAddr(original); err == nil {
		from := source.AddrFrom(addr)
		if to, ok := a.addrs[from]; ok && to != from {
			return to.String()
		}
		return ""
	}
	if a.kept[original] {
		return ""
	}
	for _, kind := range slices.Sorted(maps.Keys(a.texts)) {
		if to := a.texts[kind][remembered(original)]; to != "" {
			return to
		}
	}
	return ""
}

// StandInOfPart gives the first of what stands for the addresses in a prefix, or for
// names that have a part in them, in any case of letters; "" where nothing does, or where
// the same may be said of what is not replaced. Of names of more than 32 bytes the
// parts are not known.
func (a *Anonymizer) StandInOfPart(part string) string {
	first := ""
	note := func(standIn string) {
		if first == "" || standIn < first {
			first = standIn
		}
	}
	if prefix, err := netip.ParsePrefix(part); err == nil {
		for from, to := range a.addrs {
			switch {
			case prefix.Contains(to.Netip()):
				return ""
			case prefix.Contains(from.Netip()):
				note(to.String())
			}
		}
		return first
	}
	part = strings.ToLower(part)
	has := func(name string) bool { return strings.Contains(strings.ToLower(name), part) }
	if part == "" || slices.ContainsFunc(slices.Collect(maps.Keys(a.kept)), has) {
		return ""
	}
	for _, texts := range a.texts {
		for original, standIn := range texts {
			switch {
			case has(standIn):
				return ""
			case has(original):
				note(standIn)
			}
		}
	}
	return first
}

// remembered is what is remembered of a name: that takes little memory, however long
// the names are.
func remembered(name string) string {
	if len(name) > sha256.Size {
		sum := sha256.Sum256([]byte(name))
		return string(sum[:])
	}
	return name
}

// text gives "process-17" for the 17th name of its kind, and nothing for none.
func (a *Anonymizer) text(kind, original string) string {
	if original == "" {
		return ""
	}
	original = remembered(original)
	known := a.texts[kind]
	if known == nil {
		known = make(map[string]string)
		a.texts[kind] = known
	}
	standIn, ok := known[original]
	if !ok {
		standIn = kind + "-" + strconv.Itoa(len(known)+1)
		if _, taken := a.kept[standIn]; taken {
			standIn += "*" // one that is kept has this name
		}
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

// Anonymize is src, made anonymous by a.
func Anonymize(src source.Source, a *Anonymizer) source.Source { return &anonymous{src, a} }

type anonymous struct {
	source.Source
	anonymizer *Anonymizer
}

// Poll polls the source behind and replaces what tells who and where.
func (s *anonymous) Poll(ctx context.Context, m *source.Moment) error {
	if err := s.Source.Poll(ctx, m); err != nil {
		return err
	}
	return s.anonymizer.Apply(m)
}
