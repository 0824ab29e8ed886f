package advice_test

import (
	"ephtop/model"
	"ephtop/source"
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
	return []adviceCase{
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
	}
}
