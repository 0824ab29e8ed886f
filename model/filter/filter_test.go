package filter

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/model/internal/modeltest"
	"ephtop/source"
)

func mustFilter(tb testing.TB, expr string) Filter {
	tb.Helper()
	f, err := Parse(expr)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// filterState has one socket of each sort that the filter language tells
// apart. Tests name them by their index.
func filterState(tb testing.TB) *model.State {
	return modeltest.State(
		[]source.Process{
			{PID: 4410, Name: "nginx", Command: "nginx: worker --port=1", UID: 33, User: "www-data"},
			{PID: 3120, Name: "My App", Command: "/opt/my app/run", UID: 1000, User: "ann"},
			{PID: 88, Name: "größe", Command: "größe", UID: 1001, User: "bob"},
		},
		modeltest.Socket{Local: "0.0.0.0:443", Remote: "", State: source.Listen, Process: 0, Tier: model.OwnerObserved, Age: time.Hour},
		modeltest.Socket{Local: "10.0.0.9:41822", Remote: "10.0.9.2:5432", State: source.Established, Process: 1, Tier: model.OwnerObserved, Age: 30 * time.Second},
		modeltest.Socket{Local: "10.0.0.9:41824", Remote: "10.0.9.2:5432", State: source.TimeWait, Process: 1, Tier: model.OwnerInferred, Age: 31500 * time.Millisecond},
		modeltest.Socket{Local: "10.0.0.9:41826", Remote: "192.168.1.1:80", State: source.TimeWait, Process: source.NoProcess, Age: 5 * time.Second},
		modeltest.Socket{Local: "[2001:db8::9]:50000", Remote: "[2001:db8:1::cafe]:443", State: source.CloseWait, Process: 2, Tier: model.OwnerTraced, Age: 25 * time.Hour},
		modeltest.Socket{Proto: source.UDP, Local: "127.0.0.1:60000", Remote: "127.0.0.53:53", State: source.Established, Process: source.NoProcess,
			UID: 33, Inode: 7, Age: 10 * time.Minute},
	)
}

func TestMatch(t *testing.T) {
	t.Parallel()
	all := []int{0, 1, 2, 3, 4, 5}
	tests := []struct {
		expr string
		want []int
	}{
		{"", all},
		{"  ", all},

		{"state:TIME_WAIT", []int{2, 3}},
		{"state:time-wait", []int{2, 3}},
		{"STATE:tw", []int{2, 3}},
		{"state:TIME_WAIT,CLOSE_WAIT", []int{2, 3, 4}},
		{"state=listen", []int{0}},
		{"!state:LISTEN", []int{1, 2, 3, 4, 5}},
		{"!!state:LISTEN", []int{0}},
		{"!state:LISTEN,tw", []int{1, 4, 5}},

		{"proto:udp", []int{5}},
		{"proto:UDP", []int{5}},
		{"proto:tcp,udp", all},

		{"owner:unknown", []int{3, 5}},
		{"owner:inferred", []int{2}},
		{"owner:Observed,traced", []int{0, 1, 4}},

		{"pid:4410", []int{0}},
		{"pid:88,3120", []int{1, 2, 4}},
		{"!pid:88,3120", []int{0, 3, 5}},
		{"pid:44", nil},

		{"user:www-data", []int{0}},
		{"user:33", []int{0, 5}},
		{"user:ANN,bob", []int{1, 2, 4}},
		{"user:0", nil},

		{"proc:nginx", []int{0}},
		{"proc:NGI", []int{0}},
		{"proc:ng,app", []int{0, 1, 2}},
		{`proc:"my app"`, []int{1, 2}},
		{`proc:"y a","gin"`, []int{0, 1, 2}},
		{"proc:GRÖSSE", nil},
		{"proc:GRÖ", []int{4}},
		{`proc:""`, []int{0, 1, 2, 4}},
		{"proc=nginx", []int{0}},
		{"proc=ngin", nil},
		{"proc=Nginx", nil},
		{"cmd:--PORT", []int{0}},
		{`cmd:"my app"`, []int{1, 2}},
		{"cmd=größe", []int{4}},

		{"local:10.0.0.9", []int{1, 2, 3}},
		{"local:10.0.0.0/8", []int{1, 2, 3}},
		{"local:10.0.0.77/8", []int{1, 2, 3}},
		{"local:::ffff:10.0.0.9", []int{1, 2, 3}},
		{"local:::ffff:10.0.0.0/104", []int{1, 2, 3}},
		{"local:10.0.0.9:41822", []int{1}},
		{"local:10.0.0.9:41823-41830", []int{2, 3}},
		{"remote:10.0.9.2:postgresql", []int{1, 2}},
		{"remote:2001:db8::/32", []int{4}},
		{"remote:2001:DB8:1:0::CAFE", []int{4}},
		{"remote:[2001:db8:1::cafe]", []int{4}},
		{"remote:[2001:db8:1::cafe]:443", []int{4}},
		{"remote:[2001:db8:1::cafe]:444", nil},
		{"remote:192.168.1.1,10.0.9.2", []int{1, 2, 3}},
		{"remote:0.0.0.0/0", []int{0, 1, 2, 3, 5}},
		{"remote:::/0", []int{4}},
		{"addr:127.0.0.53", []int{5}},
		{"addr:10.0.0.0/8,127.0.0.1", []int{1, 2, 3, 5}},

		{"lport:32768-45000", []int{1, 2, 3}},
		{"lport:443", []int{0}},
		{"rport:443,5432", []int{1, 2, 4}},
		{"rport:https", []int{4}},
		{"rport:DNS,postgres", []int{1, 2, 5}},
		{"rport:0", []int{0}},
		{"port:443", []int{0, 4}},
		{"!port:443", []int{1, 2, 3, 5}},

		{"age>30s", []int{0, 2, 4, 5}},
		{"age>=30s", []int{0, 1, 2, 4, 5}},
		{"age:>30s", []int{0, 2, 4, 5}},
		{"age<30s", []int{3}},
		{"age<=30s", []int{1, 3}},
		{"AGE>1d", []int{4}},
		{"age>=1d1h", []int{4}},
		{"age>1d1h", nil},
		{"age>5m", []int{0, 4, 5}},
		{"age=31s", []int{2}},
		{"age:31s", []int{2}},
		{"age:=31s", []int{2}},
		{"age<10s,>2h", []int{3, 4}},

		{"nginx", []int{0}},
		{"APP", []int{1, 2}},
		{`"my app"`, []int{1, 2}},
		{"app,ngin", []int{0, 1, 2}},
		{"!app", []int{0, 3, 4, 5}},
		{"tw", []int{2, 3}},
		{"time-wait", []int{2, 3}},
		{"wait", []int{2, 3, 4}},
		{"LISTEN", []int{0}},
		{"443", []int{0, 4}},
		{"4182", []int{1, 2, 3}},
		{"10.0.9.2", []int{1, 2}},
		{"0.9.", []int{1, 2}},
		{"10.0.9.2:5432", []int{1, 2}},
		{":53", []int{5}},
		{"::ffff:10.0.9.2", []int{1, 2}},
		{"192.168.0.0/16", []int{3}},
		{"cafe", []int{4}},
		{"CAFE", []int{4}},
		{"db8:1", []int{4}},
		{"[2001:db8::9]:50000", []int{4}},
		{"2001:0db8:0::9", []int{4}},
		{"2001:db8:1::/48", []int{4}},
		{`"cafe"`, []int{4}},
		{`"state:tw"`, nil},
		{"nowhere", nil},

		{"state:tw !owner:inferred", []int{3}},
		{"proto:tcp  rport:5432\tage>30s", []int{2}},
		{"10.0. state:est", []int{1}},
	}
	st := filterState(t)
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			f := mustFilter(t, tt.expr)
			var got []int
			for i := range st.Rows {
				if f.Match(st, i) {
					got = append(got, i)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%q passes (-want +got):\n%s", tt.expr, diff)
			}
		})
	}
}

// Where a socket is: its namespace, its container, its unit.
func TestMatchPlaces(t *testing.T) {
	t.Parallel()
	st := modeltest.State(
		[]source.Process{{PID: 1, Cgroup: 20}},
		modeltest.Socket{Local: "10.0.0.9:41822", Remote: "10.0.9.2:5432", State: source.Established, Process: source.NoProcess},
		modeltest.Socket{Local: "10.0.0.9:41824", Remote: "10.0.9.2:5432", State: source.TimeWait, Process: 0, Tier: model.OwnerObserved},
		modeltest.Socket{Local: "10.0.0.9:41826", Remote: "10.0.9.2:5432", State: source.Established, Process: source.NoProcess},
	)
	st.Snapshot.Sockets[0].Cgroup = 10
	st.Cgroups = []source.Cgroup{{ID: 10, Unit: "nginx.service"}, {ID: 20, Unit: "docker-1f.scope", Container: "shop/Web", Kind: source.ScopePod}}
	st.Snapshot.Scope = source.Scope{Netns: 4026531840, Name: "edge-01", Kind: source.ScopeHost}
	all := []int{0, 1, 2}
	for _, tt := range []struct {
		expr string
		want []int
	}{
		{"ns:edge", all},
		{"ns:EDGE-01,other", all},
		{"ns=edge-01", all},
		{"ns=edge", nil},
		{"ns:host", all},
		{"ns:Host", all},
		{"ns:pod", nil},
		{"ns:4026531840", all},
		{"ns:net:[4026531840]", all},
		{"ns:402653184", nil},
		{"ns:0", all}, // a part of the name
		{"ns:9", nil},
		{"!ns:edge", nil},
		{"container:web", []int{1}},
		{"container=shop/Web", []int{1}},
		{"container=web", nil},
		{"!container:web", []int{0, 2}},
		{`container:""`, []int{1}},
		{"unit:nginx.service", []int{0}},
		{"unit:nginx,docker", []int{0, 1}},
		{"unit=nginx", nil},
		{"!unit:nginx", []int{1, 2}},
	} {
		f := mustFilter(t, tt.expr)
		var got []int
		for row := range st.Rows {
			if f.Match(st, row) {
				got = append(got, row)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s matches %v, want %v", tt.expr, got, tt.want)
		}
	}
	// In a container every socket is its own, but for those of another.
	st.Snapshot.Scope = source.Scope{Netns: 7, Name: "api", Kind: source.ScopeContainer}
	f := mustFilter(t, "container:api")
	if !f.Match(st, 0) || f.Match(st, 1) || !f.Match(st, 2) {
		t.Error("container:api in the container api: not all but those of another")
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expr   string
		offset int
		reason string // a part of it
	}{
		{"stat:foo", 0, `unknown key "stat": use one of state, proc, pid,`},
		{"proc:x stat:foo", 7, `unknown key "stat"`},
		{"foo=1", 0, `unknown key "foo"`},
		{"foo<1", 0, `unknown key "foo"`},
		{"localhost:443", 0, `put text with a colon in quotes`},
		{"!stat:foo", 1, `unknown key "stat"`},
		{"state:FOO", 6, `unknown state "FOO": use one of ESTABLISHED,`},
		{"state:tw,FOO", 9, `unknown state "FOO"`},
		{"state:", 6, `a value is missing`},
		{"state:tw,", 9, `a value is missing`},
		{"state:,tw", 6, `a value is missing`},
		{"tw,", 3, `a value is missing`},
		{"!", 1, `"!" with nothing after it`},
		{"! state:tw", 1, `"!" with nothing after it`},
		{"proto:sctp", 6, `unknown protocol "sctp": use tcp or udp`},
		{"owner:me", 6, `unknown owner "me": use unknown, inferred, observed or traced`},
		{"pid:x", 4, `bad pid "x": use a number`},
		{"pid:-1", 4, `bad pid "-1"`},
		{"pid:2147483648", 4, `bad pid`},
		{"lport:65536", 6, `bad port "65536": use a number from 0 to 65535, a range LOW-HIGH or a service`},
		{"lport:9-1", 6, `bad port "9-1"`},
		{"lport:1-", 6, `bad port "1-"`},
		{"rport:443,nosuch", 10, `bad port "nosuch"`},
		{"port:", 5, `a value is missing`},
		{"local:10.0.0", 6, `bad address "10.0.0": use an address, a prefix`},
		{"local:10.0.0.0/33", 6, `bad address`},
		{"remote:10.0.0.1:x", 7, `bad address`},
		{"remote:[10.0.0.1]:443", 7, `bad address`},
		{"remote:[2001:db8::1:443", 7, `bad address`},
		{"remote:[::1", 7, `bad address`},
		{"remote:::1]", 7, `bad address`},
		{"remote:[10.0.0.1]", 7, `bad address`},
		{"remote:fe80::1%eth0", 7, `an interface cannot be matched: leave out "%eth0"`},
		{"age>x", 3, `bad age ">x": use a time such as 30s, 5m, 2h or 1d`},
		{"age>30", 3, `bad age`},
		{"age>-30s", 3, `bad age`},
		{"age>+30s", 3, `bad age`},
		{"age>1dx", 3, `bad age`},
		{"age>xd", 3, `bad age`},
		{"age>99999999d", 3, `bad age`},
		{"age>", 3, `bad age ">"`},
		{"age<>5s", 3, `bad comparison in "<>5s": use >, >=, <, <= or =`},
		{"lport>1024", 0, `only age takes < and >: write lport:VALUE`},
		{"proc>x", 0, `only age takes < and >`},
		{`proc:"x`, 5, `the quote is not closed`},
		{`proc:"x\"`, 5, `the quote is not closed`},
		{`proc:"a\z"`, 7, `unknown escape in quotes`},
		{`proc:"a"b`, 8, `text right after a closing quote`},
		{`"a""b"`, 3, `text right after a closing quote`},
	}
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			_, err := Parse(tt.expr)
			var fe *Error
			if !errors.As(err, &fe) {
				t.Fatalf("Parse(%q) = %v, want a *Error", tt.expr, err)
			}
			if fe.Expr != tt.expr || fe.Offset != tt.offset || !strings.Contains(fe.Reason, tt.reason) {
				t.Errorf("error %+v, want offset %d and a reason with %q", *fe, tt.offset, tt.reason)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ expr, want string }{
		{"stat:foo", `filter: "stat:foo": unknown key "stat": use one of ` + `state, proc, pid, user, local, remote, lport, rport, proto, age, owner, addr, port, cmd, ns, container or unit` + `; put text with a colon in quotes`},
		{"größe pid:\x1b", `filter: "größe pid:\x1b": at character 11: bad pid "\x1b": use a number, as in pid:4410`},
	} {
		_, err := Parse(tt.expr)
		if err == nil || err.Error() != tt.want {
			t.Errorf("Parse(%q):\n got %v\nwant %s", tt.expr, err, tt.want)
		}
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ expr, want string }{
		{"", ""},
		{" \t ", ""},
		{"  state:TW   proc:x ", "state:TW proc:x"},
		{`proc:"a  b"  !tw`, `proc:"a  b" !tw`},
		{"tw tw age>3s tw", "tw age>3s"},
		{"nginx state:tw", "nginx state:tw"},
	} {
		f := mustFilter(t, tt.expr)
		if got := f.String(); got != tt.want {
			t.Errorf("filter %q: String() = %q, want %q", tt.expr, got, tt.want)
		}
	}
}

func TestTerms(t *testing.T) {
	for _, tt := range []struct {
		expr string
		want []Term
	}{
		{"", nil},
		{" nginx  !STATE:tw ", []Term{{"nginx", "", false}, {"!STATE:tw", "state", true}}},
		{`!proc:"b c" rport:1,2 user:"a\" b",c d`, []Term{{`!proc:"b c"`, "proc", true}, {"rport:1,2", "rport", false},
			{`user:"a\" b",c`, "user", false}, {"d", "", false}}},
		{`cmd="a  b" cmd="a  b" !!age>3s "x:y"`, []Term{{`cmd="a  b"`, "cmd", false}, {"!!age>3s", "age", false}, {`"x:y"`, "", false}}},
	} {
		f := mustFilter(t, tt.expr)
		if diff := cmp.Diff(tt.want, f.Terms()); diff != "" {
			t.Errorf("terms of %q (-want +got):\n%s", tt.expr, diff)
		}
	}
}

// Help and completion say nothing that the language does not take.
func TestKeys(t *testing.T) {
	for _, k := range Keys() {
		f := mustFilter(t, k.Example)
		if terms := f.Terms(); len(terms) != 1 || terms[0].Key != k.Name || !strings.HasPrefix(k.Example, k.Prefix()) {
			t.Errorf("the example of %s is %q, which is %+v", k.Name, k.Example, terms)
		}
		if k.Help == "" || (k.Values != nil) != (k.Kind == Word) {
			t.Errorf("%s: help %q, kind %d, values %q", k.Name, k.Help, k.Kind, k.Values)
		}
		for _, v := range k.Values {
			mustFilter(t, Quote(k.Name, v))
		}
		if _, err := Parse(k.Name + ">1s"); (err == nil) != (k.Kind == Age) {
			t.Errorf("%s>1s: %v", k.Name, err)
		}
	}
}

func TestProtos(t *testing.T) {
	for _, tt := range []struct {
		expr           string
		tcp, udp, said bool
	}{
		{"", true, true, false},
		{"state:tw", true, true, false},
		{"proto:tcp", true, false, true},
		{"proto:udp proc:x", false, true, true},
		{"proto:tcp,udp", true, true, true},
		{"!proto:tcp", false, true, true},
		{"proto:tcp proto:udp", false, false, true},
	} {
		f := mustFilter(t, tt.expr)
		if tcp, udp := f.Protos(); tcp != tt.tcp || udp != tt.udp || f.HasProto() != tt.said {
			t.Errorf("%q: Protos() = %v, %v, HasProto() = %v, want %v, %v, %v", tt.expr, tcp, udp, f.HasProto(), tt.tcp, tt.udp, tt.said)
		}
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ key, value, want string }{
		{"proc", "api", "proc:api"},
		{"proc", "a b", `proc:"a b"`},
		{"proc=", "a b", `proc="a b"`},
		{"pid", "4410", "pid:4410"},
		{"remote", "[2001:db8::1]:443", "remote:[2001:db8::1]:443"},
		{"proc", "", `proc:""`},
		{"proc", `a"b\`, `proc:"a\"b\\"`},
		{"proc", "a,b", `proc:"a,b"`},
		{"proc", "!a", `proc:"!a"`},
		{"proc", "\x1b[31m\n", `proc:"\x1b[31m\n"`},
		{"proc", "\xff", `proc:"\xff"`},
		{"", "state:tw", `"state:tw"`},
		{"", "!tw", `"!tw"`},
		{"", "10.0.9.2", "10.0.9.2"},
	} {
		if got := Quote(tt.key, tt.value); got != tt.want {
			t.Errorf("Quote(%q, %q) = %s, want %s", tt.key, tt.value, got, tt.want)
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	st := filterState(t)
	for _, expr := range []string{"state:tw proto:tcp", "proc:api", "proc:GRÖ", "user:ann age>30s", "remote:10.0.0.0/8 rport:1-9", "443", "cafe", "cmd:x"} {
		f := mustFilter(t, expr)
		n := testing.AllocsPerRun(5, func() {
			for i := range st.Rows {
				f.Match(st, i)
			}
		})
		if n != 0 {
			t.Errorf("%q: %v allocations", expr, n)
		}
	}
}

// Any text is a filter or gives a one-line error that points into it; what a
// filter says of itself is the same filter.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"state:TIME_WAIT,CLOSE_WAIT !proc:\"a b\"", "remote:2001:db8::/32 lport:1-9", "age>=1d12h", "dead:beef 443",
		"\"\\x00\\u2192\"", "! ,", "proc:\"", "addr:[::1]:https", "a\u00a0b", "\xff=\xff",
	} {
		f.Add(seed)
	}
	st := filterState(f)
	f.Fuzz(func(t *testing.T, expr string) {
		filter, err := Parse(expr)
		if err != nil {
			var fe *Error
			if !errors.As(err, &fe) {
				t.Fatalf("error %T", err)
			}
			if fe.Expr != expr || fe.Offset < 0 || fe.Offset > len(expr) || strings.ContainsAny(fe.Error(), "\n\r\x1b") {
				t.Fatalf("bad error %+v", *fe)
			}
			return
		}
		again, err := Parse(filter.String())
		if err != nil || !reflect.DeepEqual(filter, again) {
			t.Fatalf("%q became %q, which gives %+v, %v", expr, filter.String(), again, err)
		}
		negated, err := Parse("!" + filter.String())
		one := len(filter.terms) == 1
		for i := range st.Rows {
			pass := filter.Match(st, i)
			if one && err == nil && negated.Match(st, i) == pass {
				t.Fatalf("%q and its negation agree on row %d", expr, i)
			}
		}
	})
}

// Whatever a process is called, the term that Quote builds is one printable
// line that finds it.
func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"api", "a b", `a"b\`, "a,b", "!a", "state:tw", "\x1b[2J\n", "\xff\xfe", "größe", "", "\u00a0\u2028", "dead:beef", "proc="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		st := modeltest.State([]source.Process{{Name: name, Command: name, User: name}, {Name: name + "x", Command: "x" + name}},
			modeltest.Socket{Process: 0}, modeltest.Socket{Process: 1})
		for _, tt := range []struct {
			key  string
			want []bool // nil where only the first row is certain
		}{
			{"proc=", []bool{true, false}}, {"cmd=", []bool{true, false}}, {"proc", []bool{true, true}}, {"cmd", []bool{true, true}},
			{"user", nil}, {"", nil},
		} {
			quoted := Quote(tt.key, name)
			for _, r := range quoted {
				if r < ' ' || r == 0x7f {
					t.Fatalf("Quote(%q, %q) = %q has a control character", tt.key, name, quoted)
				}
			}
			filter, err := Parse(quoted)
			if err != nil {
				t.Fatalf("Quote(%q, %q): %v", tt.key, name, err)
			}
			if len(filter.terms) != 1 || filter.String() != quoted {
				t.Fatalf("Quote(%q, %q) = %s is read back as %d terms, %s", tt.key, name, quoted, len(filter.terms), filter.String())
			}
			got := []bool{filter.Match(st, 0), filter.Match(st, 1)}
			if !got[0] || tt.want != nil && !slices.Equal(got, tt.want) {
				t.Fatalf("%s matches %q and its neighbour: %v, want %v", quoted, name, got, tt.want)
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	st := modeltest.Random(200_000)
	for _, expr := range []string{"state:tw", "proc:worker-3", "remote:10.0.9.0/28", "rport:5432 age>30s", "443", "10.0.9.1:", "cafe", "nginx", "cmd:listen"} {
		f := mustFilter(b, expr)
		b.Run(fmt.Sprintf("%d/%s", len(st.Rows), expr), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for i := range st.Rows {
					f.Match(st, i)
				}
			}
		})
	}
}

// Parsing happens at every key press in the filter line.
func BenchmarkParse(b *testing.B) {
	for _, expr := range []string{"state:tw proc:api", "443", "10.0.9.2:5432"} {
		b.Run(expr, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(expr); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
