package advice_test

import (
	"testing"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

// wayFinding is of a pool of a NAT on the way.
func wayFinding(level model.Level, p model.WayPool) model.Finding {
	p.Remote, p.RemotePort, p.Level = source.Addr4([4]byte{93, 184, 216, 34}), 443, level
	return model.Finding{
		Problem: model.WayFull, Level: level, Proto: p.Proto, Tuple: model.TupleKey{Destination: p.Remote, Port: p.RemotePort},
		Process: p.Process, Tier: p.Tier, Count: p.Used(), Of: p.Ports, Live: p.Live, Way: &p,
	}
}

// wayCases are findings about a NAT on the way.
func wayCases() []adviceCase {
	limit := model.Finding{
		Problem: model.WayLimit, Level: model.LevelWarning, Tuple: database, Process: java, Tier: model.OwnerObserved,
		Count: 6, Live: 20, Span: 9e9, Outside: 3,
	}
	passing := limit
	passing.Process, passing.Pool, passing.Outside, passing.Live, passing.Count = none, 2, 1, 64_512, 1_204
	return append(behindCases(), []adviceCase{
		{"the NAT on the way fills", host(), wayFinding(model.LevelCritical, model.WayPool{
			Proto: source.TCP, Ports: 55_000, Live: 30_100, Opening: 12, TimeWait: 9_000, Gone: 5_012, Process: java, Tier: model.OwnerObserved,
		})},
		{"the NAT on the way is full", host(), wayFinding(model.LevelExhausted, model.WayPool{
			Proto: source.TCP, Ports: 20, Live: 20, Opening: 6, Unanswered: 6, Process: java, Tier: model.OwnerObserved,
		})},
		{"the NAT on the way is full, nobody known", host(), wayFinding(model.LevelExhausted, model.WayPool{Proto: source.TCP, Ports: 1_024, Live: 1_024, Process: none})},
		{"the NAT on the way has more ports than was said", host(), wayFinding(model.LevelExhausted, model.WayPool{Proto: source.TCP, Ports: 64, Live: 90, Process: none})},
		{"the NAT on the way is full of what was closed", host(), wayFinding(model.LevelCritical, model.WayPool{
			Proto: source.TCP, Ports: 1_024, Live: 31, Gone: 1_900, Process: hostile, Tier: model.OwnerInferred,
		})},
		{"the NAT on the way fills with UDP", host(), wayFinding(model.LevelWarning, model.WayPool{Proto: source.UDP, Ports: 64, Live: 40, Process: none})},
		{"a limit on the way", host(), limit},
		{"a limit on the way, which some pass", host(), passing},
	}...)
}

// behindCases are findings about what passes ports that end first: those of the range
// are not told to be widened, and no firewall is looked for.
func behindCases() []adviceCase {
	own := natFinding(model.NATFull, model.LevelExhausted, 16_384, 16_384, nil)
	own.NAT.Scope = source.Scope{Kind: source.ScopeNamed, Name: "router", Netns: 7}
	way := wayFinding(model.LevelExhausted, model.WayPool{Proto: source.TCP, Ports: 20, Live: 20, Opening: 6, Unanswered: 6, Process: java, Tier: model.OwnerObserved})
	silent := model.Finding{Problem: model.SynSent, Level: model.LevelWarning, Tuple: own.Tuple, Process: java, Tier: model.OwnerObserved, Count: 250, Span: 12e9}
	behind := func(f, pool model.Finding) model.Finding {
		f.NAT, f.NATPool, f.Way = pool.NAT, pool.NATPool, pool.Way
		return f
	}
	full := model.Finding{Problem: model.TupleFull, Level: model.LevelWarning, Tuple: database, Count: 18_006, Of: 28_232, Process: java, Tier: model.OwnerObserved}
	slow := full
	slow.Problem, slow.Count, slow.Of = model.SlowConnect, 14_116, 14_116
	return []adviceCase{
		{"connects without an answer behind a full pool of SNAT", host(), behind(silent, own)},
		{"connects without an answer behind a full NAT on the way", host(), behind(silent, way)},
		{"tuple full behind a full pool of SNAT", host(), behind(full, own)},
		{"tuple full behind a full NAT on the way", host(), behind(full, way)},
		{"slow connect behind a full pool of SNAT", host(), behind(slow, own)},
	}
}

// A container is often called as its process is: that is not said twice.
func TestWithin(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"ticker", "ticker: 41 % of the ports are used", "ticker: 41 % of the ports are used"},
		{"ticker", "ticker (pid 7) leaks", "ticker (pid 7) leaks"},
		{"tick", "ticker: it", "tick: ticker: it"},
		{"ticker", "ticker", "ticker: ticker"},
		{"shop/api", "api: it", "shop/api: api: it"},
		{"", "api: it", "api: it"},
	} {
		if got := advice.Within(c[0], c[1]); got != c[2] {
			t.Errorf("%q, want %q", got, c[2])
		}
	}
}
