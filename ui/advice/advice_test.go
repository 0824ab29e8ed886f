package advice_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

const none = source.NoProcess

type adviceCase struct {
	name  string
	state *model.State
	f     model.Finding
}

var (
	refusal = model.Finding{Problem: model.AddressRefused, Level: model.LevelWarning, Process: none, Tier: model.OwnerTraced, Count: 3}
	stolen  = model.Finding{
		Problem: model.StolenPort, Level: model.LevelWarning, Process: java, Tier: model.OwnerObserved, Tuple: database, Ports: []uint16{40050},
	}
)

// refusedOf is a host on which calls failed for want of an address.
func refusedOf(local source.Addr, to model.TupleKey) *model.State {
	return with(host(), func(st *model.State) {
		st.Failures = model.Failures{Observed: true, Refused: 3, RefusedBy: []model.Failure{{
			Process: source.Process{PID: 6432, Name: "pgbouncer"}, Kind: source.AddressRefused, Proto: source.TCP, Local: local,
			Destination: to.Destination, Port: to.Port, Count: 3,
		}}}
	})
}

// cases are all that is put into words, each with a state of its own that a test
// may change, but for its sockets: there are tens of thousands.
func cases() []adviceCase {
	all := slices.Clone(everyCase())
	for i := range all {
		st, m, snap := *all[i].state, *all[i].state.Moment, *all[i].state.Snapshot
		st.Moment, st.Snapshot = &m, &snap
		all[i].state = &st
	}
	return all
}

var everyCase = sync.OnceValue(func() []adviceCase {
	full := model.Finding{
		Problem: model.TupleFull, Level: model.LevelWarning, Tuple: database, Process: java, Tier: model.OwnerObserved,
		Count: 18006, Of: 28232, Rate: 118, Span: 86 * time.Second,
	}
	churn := model.Finding{
		Problem: model.NoPooling, Tuple: database, Process: java, Tier: model.OwnerTraced,
		Rate: 118.4, Count: 3641, Live: 41, Of: 28232, Span: 346 * time.Millisecond, Plateau: 7145,
	}
	change := func(f model.Finding, how func(*model.Finding)) model.Finding {
		how(&f)
		return f
	}
	busy := func() *model.State { return with(host(), towards(database, 8202, 9804, 9686)) }
	private := func(name string, kind model.PoolKind, low, high uint16, used int, level model.Level) adviceCase {
		key := database
		key.Pool = kind
		limit := model.Limit{Kind: kind, Low: low, High: high}
		return adviceCase{name, host(), model.Finding{
			Problem: model.PrivatePool, Level: level, Tuple: key, Limit: limit, Process: java, Tier: model.OwnerObserved, Count: used, Of: limit.Size(),
		}}
	}
	return append([]adviceCase{
		{"connects fail", with(busy(), func(st *model.State) {
			st.Failures = model.Failures{Observed: true, Count: 30, Recent: 12, Last: st.Moment.Time, By: []model.Failure{
				{Process: source.Process{PID: 9203, Name: "curl"}, Destination: database.Destination, Port: 5432, Count: 30},
			}}
		}), model.Finding{
			Problem: model.ConnectsFail, Level: model.LevelExhausted, Process: none, Count: 30, Of: 12,
			Tuple: model.TupleKey{Destination: database.Destination, Port: 5432},
		}},
		{"binds fail", with(busy(), func(st *model.State) {
			st.Failures = model.Failures{Observed: true, Count: 30, Binds: 30, Recent: 12, Last: st.Moment.Time, By: []model.Failure{
				{Process: source.Process{PID: 9203, Name: "squid"}, Kind: source.BindFailed, Proto: source.TCP, Local: database.Source, Count: 30},
			}}
		}), model.Finding{
			Problem: model.ConnectsFail, Level: model.LevelExhausted, Process: none, Count: 30, Of: 12,
			Tuple: model.TupleKey{Source: database.Source},
		}},
		{"binds fail, connects and UDP too, some not seen", with(busy(), func(st *model.State) {
			st.Failures = model.Failures{Observed: true, Count: 30, Binds: 20, UDP: 7, Recent: 12, Lost: 4, By: []model.Failure{
				{Process: source.Process{PID: 9203, Name: "squid"}, Kind: source.BindFailed, Proto: source.TCP, Local: loopback.Source, Count: 20},
			}}
		}), model.Finding{
			Problem: model.ConnectsFail, Level: model.LevelExhausted, Process: none, Count: 30, Of: 12,
			Tuple: model.TupleKey{Source: loopback.Source},
		}},
		{"UDP finds no port", with(busy(), func(st *model.State) {
			st.Failures = model.Failures{Observed: true, Count: 5, UDP: 5, Recent: 5, By: []model.Failure{
				{Process: source.Process{PID: 53, Name: "unbound"}, Kind: source.BindFailed, Proto: source.UDP, Count: 5},
			}}
		}), model.Finding{Problem: model.ConnectsFail, Level: model.LevelExhausted, Process: none, Proto: source.UDP, Count: 5, Of: 5}},
		{"no such source address", refusedOf(source.Addr4([4]byte{10, 9, 9, 9}), model.TupleKey{}), refusal},
		{"no such source address, link-local", refusedOf(tuple("fe80::1", "[::1]:1").Source, model.TupleKey{}), refusal},
		{"no ::1", refusedOf(source.Addr{}, tuple("::", "[::1]:6432")), change(refusal, func(f *model.Finding) { f.Tuple = tuple("::", "[::1]:6432") })},
		{"link-local without its interface", refusedOf(source.Addr{}, tuple("::", "[fe80::9]:80")), change(refusal, func(f *model.Finding) {
			f.Tuple = tuple("::", "[fe80::9]:80")
		})},
		{"no address for a destination", refusedOf(source.Addr{}, six), change(refusal, func(f *model.Finding) { f.Tuple = six })},
		{"port refused", with(host(), func(st *model.State) {
			st.Stolen = []model.Stolen{{Port: 40050, Wanted: source.Process{PID: 88, Name: "grpc"}, Refused: 50}}
			st.Snapshot.Settings.Reserved = []source.PortRange{{Low: 8080, High: 8080}, {Low: 40049, High: 40049}, {Low: 40051, High: 40060}}
		}), stolen},
		{"port refused to a server that was seen", with(host(), func(st *model.State) {
			st.Stolen = []model.Stolen{{Port: 40050, Refused: 1, Listened: time.Date(2026, 11, 22, 12, 3, 0, 0, time.UTC)}}
		}), stolen},
		{"port of a server that is away", with(host(), func(st *model.State) {
			st.Stolen = []model.Stolen{{Port: 40050, Wanted: source.Process{PID: 88, Name: "grpc"}, Listened: time.Date(2026, 11, 22, 12, 3, 0, 0, time.UTC)}}
		}), stolen},
		{"tuple full", busy(), full},
		{"tuple full of live ports, nobody known", with(host(), towards(database, 18006, 0, 0)), change(full, func(f *model.Finding) {
			f.Process, f.Rate, f.Span = none, 0, 0
		})},
		{"tuple exhausted", with(host(), towards(database, 20000, 8232, 8000)), change(full, func(f *model.Finding) {
			f.Level, f.Count, f.Tier = model.LevelExhausted, 28232, model.OwnerInferred
		})},
		{"tuple exhausted by bound ports", with(host(), func(st *model.State) {
			p := &st.TCP.Pressure
			p.Suspected = p.Usable
			p.Tuples = []model.TupleUse{{TupleKey: database, Suspected: p.Usable, Used: p.Usable}}
			st.Findings = []model.Finding{{Problem: model.BoundFirst, Process: java, Suspected: p.Usable}}
		}), change(full, func(f *model.Finding) { f.Level, f.Count, f.Rate, f.Span = model.LevelExhausted, 28232, 0, 0 })},
		{"tuple full on loopback, reuse never", with(host(), towards(loopback, 100, 17900, 17800),
			settings(func(s *source.Settings) { s.ReuseTimeWait = 0 })), change(full, func(f *model.Finding) {
			f.Tuple, f.Count = loopback, 18000
		})},
		{"tuple full, reuse on, range wide", with(host(), settings(func(s *source.Settings) {
			s.ReuseTimeWait, s.Range = 1, source.PortRange{Low: 1024, High: 65535}
		}), towards(database, 8202, 30000, 30000)), change(full, func(f *model.Finding) { f.Count, f.Of = 38202, 64512 })},
		{"tuple full, long addresses and a hostile name", with(host(), towards(six, 18006, 0, 0)), change(full, func(f *model.Finding) {
			f.Tuple, f.Process = six, hostile
		})},
		{"pool full on macOS", with(host(), on("darwin", 49152, 65535, 30*time.Second), uses(source.TCP, 443, 9000)), model.Finding{
			Problem: model.PoolFull, Level: model.LevelWarning, Proto: source.TCP, Process: none, Count: 10000, Of: 16384,
		}},
		{"pool full of UDP for DNS", with(host(), uses(source.UDP, 53, 20000)), model.Finding{
			Problem: model.PoolFull, Level: model.LevelCritical, Proto: source.UDP, Process: none, Count: 24000, Of: 28232,
		}},
		{"pool full on Windows", with(host(), on("windows", 49152, 65535, 2*time.Minute)), model.Finding{
			Problem: model.PoolFull, Level: model.LevelWarning, Proto: source.UDP, Process: none, Count: 10000, Of: 16384,
		}},
		{"slow connect", busy(), model.Finding{
			Problem: model.SlowConnect, Level: model.LevelWarning, Tuple: database, Process: java, Tier: model.OwnerObserved, Count: 14116, Of: 14116,
		}},
		{"bound first", host(), model.Finding{
			Problem: model.BoundFirst, Level: model.LevelWarning, Process: java, Tier: model.OwnerObserved, Count: 40, Suspected: 6000, Of: 28232,
			Pool: 6100, Tuple: model.TupleKey{Source: database.Source},
		}},
		{"bound first, as the kernel says", with(host(), func(st *model.State) { st.Snapshot.BlockedKnown = true }), model.Finding{
			Problem: model.BoundFirst, Level: model.LevelWarning, Process: java, Tier: model.OwnerObserved, Count: 6040, Of: 28232,
		}},
		{"no pooling, database", with(host(), towards(database, 41, 3641, 3500)), churn},
		{"no pooling, web, past a threshold", with(host(), towards(tuple("10.0.0.9", "10.0.9.7:443"), 41, 3641, 3500)), change(churn, func(f *model.Finding) {
			f.Tuple.Destination, f.Tuple.Port, f.Level, f.Plateau, f.Rate = tuple("10.0.0.9", "10.0.9.7:443").Destination, 443, model.LevelWarning, 18041, 300
		})},
		{"no pooling, unknown service, nobody seen alive", host(), change(churn, func(f *model.Finding) {
			f.Tuple.Port, f.Process, f.Live, f.Span = 7777, none, 0, 0
		})},
		{"no pooling on FreeBSD", with(host(), on("freebsd", 10000, 65535, time.Minute), towards(database, 41, 3641, 0)), churn},
		{"close wait", host(), model.Finding{
			Problem: model.CloseWait, Level: model.LevelWarning, Process: java, Tier: model.OwnerObserved, Count: 702, Rate: 1.25, Of: 28232,
		}},
		{"close wait of nobody known, on macOS", with(host(), on("darwin", 49152, 65535, 30*time.Second)), model.Finding{
			Problem: model.CloseWait, Level: model.LevelWarning, Process: none, Count: 120, Of: 16384,
		}},
		{"syn sent", host(), model.Finding{
			Problem: model.SynSent, Level: model.LevelWarning, Tuple: database, Process: java, Tier: model.OwnerObserved, Count: 168, Span: 31 * time.Second,
		}},
		{"orphans", host(), model.Finding{Problem: model.Orphans, Process: none, Count: 400, FinWait2: 301, Of: 28232}},
		{"time wait buckets", host(), model.Finding{
			Problem: model.TimeWaitBuckets, Level: model.LevelCritical, Process: none, Count: 131072, Of: 131072,
		}},
		{"listener in range, others reserved already", with(host(), settings(func(s *source.Settings) {
			s.Reserved = []source.PortRange{{Low: 8080, High: 8080}, {Low: 40000, High: 40009}}
		})), model.Finding{
			Problem: model.ListenerInRange, Process: postgres, Tier: model.OwnerObserved, Ports: []uint16{33060, 40010, 50051},
		}},
		{"listener in range on Windows", with(host(), on("windows", 49152, 65535, 2*time.Minute)), model.Finding{
			Problem: model.ListenerInRange, Process: none, Ports: []uint16{49664},
		}},
		{"narrow range, servers between the ends", with(host(), settings(func(s *source.Settings) {
			s.Range = source.PortRange{Low: 40000, High: 40099}
			s.Reserved = []source.PortRange{{Low: 11211, High: 11211}}
		}), listens(source.TCP, 22, postgres), listens(source.TCP, 11211, postgres), listens(source.TCP, 40005, postgres),
			listens(source.TCP, 33060, postgres), listens(source.UDP, 51820, none), listens(source.TCP, 33060, none)), model.Finding{
			Problem: model.NarrowRange, Level: model.LevelWarning, Process: none, Count: 100, Of: 28232,
		}},
		{"reserved ports", with(host(), settings(func(s *source.Settings) {
			s.Reserved = []source.PortRange{{Low: 8080, High: 8081}, {Low: 32000, High: 39999}}
		}), listens(source.TCP, 33060, postgres)), model.Finding{
			Problem: model.ReservedPorts, Process: none, Count: 7232, Of: 28232,
		}},
		private("private pool that is full", model.PoolSourcePorts, 2000, 2019, 20, model.LevelExhausted),
		private("private pool by IP_LOCAL_PORT_RANGE", model.PoolLocalRange, 40000, 40099, 85, model.LevelCritical),
		private("private pool of NFS", model.PoolReserved, 600, 1023, 300, model.LevelWarning),
		private("private pool of one port", model.PoolSourcePort, 9999, 9999, 1, model.LevelOK),
		{"reuse off", with(busy(), settings(func(s *source.Settings) { s.ReuseTimeWait = 0 })), model.Finding{
			Problem: model.ReuseOff, Level: model.LevelWarning, Tuple: database, Process: none, Count: 9804, Of: 28232,
		}},
		{"reuse off for want of timestamps", with(busy(), settings(func(s *source.Settings) { s.ReuseTimeWait, s.Timestamps = 1, 0 })), model.Finding{
			Problem: model.ReuseOff, Level: model.LevelWarning, Tuple: database, Process: none, Count: 9804, Of: 28232,
		}},
	}, append(natCases(), wayCases()...)...)
})

func TestOf(t *testing.T) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			a := advice.Of(c.state, &c.f)
			page := written(&a)
			golden.RequireEqual(t, []byte(page))
			if w := ansi.StringWidth(a.Title); w == 0 || w > advice.TitleWidth {
				t.Errorf("the title takes %d columns: %q", w, a.Title)
			}
			if a.Seen == "" || a.Why == "" || len(a.Remedies) == 0 {
				t.Error("something is left out")
			}
			for _, r := range a.Remedies {
				if r.What == "" || r.Command+r.Config == "" || r.Effect == "" || r.Risk == "" {
					t.Errorf("something is left out of %+v", r)
				}
			}
			for _, r := range page {
				if unicode.IsControl(r) && r != '\n' || r == '\u202e' {
					t.Errorf("the advice has %U", r)
				}
			}
			if strings.Contains(page, "%!") || strings.Contains(page, "  ") {
				t.Error("the advice has a mistake in its form")
			}
		})
	}
}

func written(a *advice.Advice) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nseen: %s\nwhy: %s\n", a.Title, a.Seen, a.Why)
	for _, r := range a.Remedies {
		fmt.Fprintf(&b, "\n- %s\n", r.What)
		for line := range strings.Lines(r.Command) {
			fmt.Fprintf(&b, "$ %s\n", strings.TrimSpace(line))
		}
		for line := range strings.Lines(r.Config) {
			fmt.Fprintf(&b, "| %s\n", strings.TrimSpace(line))
		}
		fmt.Fprintf(&b, "effect: %s\nrisk: %s\n", r.Effect, r.Risk)
	}
	return b.String()
}

// TestEveryProblemHasWords keeps a new problem from being shown by its name
// alone.
func TestEveryProblemHasWords(t *testing.T) {
	told := make(map[model.Problem]bool)
	for _, c := range cases() {
		told[c.f.Problem] = true
	}
	for p := model.Problem(0); p.String() != "unknown"; p++ {
		if !told[p] {
			t.Errorf("no case tells %v", p)
		}
	}
}

func TestAProblemOfTheFutureIsNamed(t *testing.T) {
	f := model.Finding{Problem: 200, Process: none}
	if a := advice.Of(host(), &f); a.Title != "unknown" {
		t.Errorf("title = %q", a.Title)
	}
}
