// Package filter is the language that says which sockets are shown.
//
// Terms are joined by spaces, and all of them must hold. "!" before a term
// negates it. Commas inside a value mean or. A term is KEY:VALUE, or text
// without a key, which matches process name, address, port or state. Text is
// found anywhere, and in any case of letters.
//
//	state:tw,close-wait  states, as netstat, ss or a person writes them
//	proto:udp            tcp or udp
//	owner:inferred       unknown, inferred, observed, traced
//	pid:4410             process id
//	user:www-data        user name or uid: of the process, or where none is known of the socket
//	proc:nginx           part of the process name; proc=nginx is the whole name
//	cmd:--worker         part of the command line; cmd=… is all of it
//	ns:shop/api          part of the network namespace's name, its kind (host, pod …), or its number
//	container:web        part of the name of the container, or of the pod
//	unit:nginx.service   part of the name of systemd's unit
//	local: remote: addr: address, prefix, or either address with port (10.0.0.9:443, [2001:db8::1]:443)
//	lport: rport: port:  port, range LOW-HIGH, or service name; addr: and port: mean either end
//	age>30s              time since the socket was first seen: > >= < <=, or = to the whole second
//
// "=" may be written for ":" after every key. A value in double quotes may
// hold spaces and commas; inside the quotes, backslash escapes are those of a
// Go string (\" \\ \n \x1b \u2192). A quote opens only at the start of a
// value; elsewhere it is a letter like others.
//
// IPv4 addresses match v4-mapped ones, and a prefix of IPv6 such as ::/0
// matches no IPv4.
//
// [Keys] lists what there is, for help and completion.
package filter

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"ephtop/model"
	"ephtop/source"
)

// Filter selects sockets. The zero Filter lets every socket pass. A Filter is
// never changed after it was parsed, so copies of it can be used at the same
// time.
type Filter struct {
	written []Term // in the order in which they were
	terms   []term // the same, the cheapest to match first
}

// Term is a term of a filter, as it was written.
type Term struct {
	Text    string // with the "!" of negation
	Key     string // in lower case; "" for text without a key
	Negated bool
}

// term is one compiled term.
type term struct {
	Term
	cost    int
	matcher matcher
}

// matcher is what a term without its negation says of a socket.
type matcher interface {
	match(st *model.State, s *source.Socket, r *model.Row) bool
}

// Error says where an expression is wrong, and why.
type Error struct {
	Expr   string
	Offset int    // of the wrong part, in bytes of Expr
	Reason string // one line: what is wrong and what is accepted
}

// Error returns one line. The place is counted in characters from 1.
func (e *Error) Error() string {
	if e.Offset == 0 {
		return fmt.Sprintf("filter: %q: %s", e.Expr, e.Reason)
	}
	at := utf8.RuneCountInString(e.Expr[:e.Offset]) + 1
	return fmt.Sprintf("filter: %q: at character %d: %s", e.Expr, at, e.Reason)
}

// Parse reads an expression of the language. The error is an [*Error]. An expression of nothing but spaces gives the zero Filter.
func Parse(expr string) (Filter, error) {
	var f Filter
	l := lexer{expr: expr}
	for l.next() {
		t, err := l.compileTerm()
		if err != nil {
			var fe *Error
			if errors.As(err, &fe) {
				fe.Expr = expr
			}
			return Filter{}, err
		}
		f.add(t)
	}
	slices.SortStableFunc(f.terms, func(a, b term) int { return cmp.Compare(a.cost, b.cost) })
	return f, nil
}

// compileTerm reads and compiles the term that starts here.
func (l *lexer) compileTerm() (term, error) {
	raw, err := l.term()
	if err != nil {
		return term{}, err
	}
	return compile(raw)
}

// add puts a term at the end, unless the filter has it already.
func (f *Filter) add(t term) {
	if slices.ContainsFunc(f.written, func(u Term) bool { return u.Text == t.Text }) {
		return
	}
	f.written = append(f.written, t.Term)
	f.terms = append(f.terms, t)
}

// Terms returns the terms in the order in which they were written, none of
// them twice.
func (f *Filter) Terms() []Term { return slices.Clone(f.written) }

// String returns the terms with one space between them. Parse reads it back to
// an equal Filter.
func (f *Filter) String() string {
	var b strings.Builder
	for i := range f.written {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(f.written[i].Text)
	}
	return b.String()
}

// Match reports whether the socket of a row passes. It does not allocate.
func (f *Filter) Match(st *model.State, row int) bool {
	s, r := &st.Snapshot.Sockets[row], &st.Rows[row]
	for i := range f.terms {
		if t := &f.terms[i]; t.matcher.match(st, s, r) == t.Negated {
			return false
		}
	}
	return true
}

// Protos reports which protocols the proto: terms leave; both where there is no
// such term, which HasProto tells apart.
func (f *Filter) Protos() (tcp, udp bool) {
	tcp, udp = true, true
	for i := range f.terms {
		t := &f.terms[i]
		if t.Key != "proto" {
			continue
		}
		tcp = tcp && t.matcher.match(nil, &source.Socket{Proto: source.TCP}, nil) != t.Negated
		udp = udp && t.matcher.match(nil, &source.Socket{Proto: source.UDP}, nil) != t.Negated
	}
	return tcp, udp
}

// HasProto reports whether the filter has a proto: term.
func (f *Filter) HasProto() bool {
	return slices.ContainsFunc(f.terms, func(t term) bool { return t.Key == "proto" })
}
