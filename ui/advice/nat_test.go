package advice_test

import (
	"ephtop/model"
	"ephtop/source"
)

// natFinding is of a pool of translated ports of which so many are in use.
func natFinding(problem model.Problem, level model.Level, used, ports int, change func(*model.NATPoolUse)) model.Finding {
	p := &model.NATPoolUse{Level: level, NATPool: &source.NATPool{
		Address: source.Addr4([4]byte{203, 0, 113, 7}), Remote: source.Addr4([4]byte{93, 184, 216, 34}), RemotePort: 443, Proto: source.TCP,
		Used: used, Ports: ports,
	}}
	if change != nil {
		change(p)
	}
	n := &model.NATState{
		NAT:   &source.NAT{Entries: 200_000, Max: 262_144, Seen: 200_000},
		Rates: model.NATRates{Known: true, Drop: 12, InsertFailed: 12},
	}
	f := model.Finding{
		Problem: problem, Level: level, Proto: source.TCP, Process: none, Count: used, Of: p.Capacity(), Rate: 12, NAT: n, NATPool: p,
		Tuple: model.TupleKey{Source: p.Address, Destination: p.Remote, Port: p.RemotePort},
	}
	if len(p.Holders) > 0 {
		f.Process, f.Tier = p.Holders[0].Process, p.Holders[0].Tier
	}
	return f
}

// natCases are findings of what connection tracking says.
func natCases() []adviceCase {
	held := func(p *model.NATPoolUse) {
		p.Evictable = 120
		p.Holders = []model.NATHolder{
			{Client: source.Addr4([4]byte{10, 1, 0, 5}), Process: java, Tier: model.OwnerObserved, Ports: 54_000},
			{Client: source.Addr4([4]byte{10, 1, 0, 6}), State: -1, Process: none, Ports: 3_120},
		}
	}
	sampled := natFinding(model.NATFull, model.LevelWarning, 40_000, 0, nil)
	sampled.NAT.NAT.Seen = 5_040
	full := natFinding(model.TrackingFull, model.LevelCritical, 0, 0, nil)
	full.Count, full.Of, full.Tuple, full.NATPool = 262_140, 262_144, model.TupleKey{}, nil
	once := full
	once.NAT = &model.NATState{NAT: &source.NAT{Counters: source.NATCounters{Known: true, Drop: 850, InsertFailed: 6}}}
	calm := once
	calm.Level = model.LevelWarning
	inside := host()
	inside.Snapshot.Scope = source.Scope{Kind: source.ScopeNamed, Name: "router", Netns: 7}
	race := full
	race.Problem, race.Level = model.TrackingRace, model.LevelWarning
	silent := model.Finding{
		Problem: model.SynSent, Level: model.LevelWarning, Tuple: database, Process: java, Tier: model.OwnerObserved, Count: 40, Span: 31e9,
		NAT: &model.NATState{Scope: source.Scope{Kind: source.ScopeHost}, NAT: &source.NAT{Entries: 262_140, Max: 262_144}, Drops: model.DropsTableFull},
	}
	return []adviceCase{
		{"connects behind connection tracking that is full", inside, silent},
		{"snat ports of a process", host(), natFinding(model.NATFull, model.LevelCritical, 57_120, 0, held)},
		{"snat ports by a sample, nobody known", host(), sampled},
		{"snat ports of a rule all used", host(), natFinding(model.NATFull, model.LevelExhausted, 20, 20, nil)},
		{"snat ports that connections do not find", host(), natFinding(model.NATLoss, model.LevelWarning, 61_932, 0, func(p *model.NATPoolUse) { p.Loss = 0.07 })},
		{"snat ports that few connections do not find", host(), natFinding(model.NATLoss, model.LevelWarning, 57_416, 0, func(p *model.NATPoolUse) { p.Loss = 0.0004 })},
		{"connection tracking full", host(), full},
		{"connection tracking full at the first look", inside, once},
		{"connection tracking full and no drops", host(), calm},
		{"connection tracking racing", host(), race},
	}
}
