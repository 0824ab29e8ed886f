package live

import (
	"errors"
	"os/exec"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/conntrack"
	"ephtop/source/netlab"
)

// askedRules are the rules of a router, and a reader that is told them.
type askedRules struct {
	rules
	t      *testing.T
	lab    *netlab.Routed
	reader *conntrack.Reader
}

// askedOf asks for rules for the first time.
func askedOf(t *testing.T, action string) *askedRules {
	t.Helper()
	if testing.Short() {
		t.Skip("nft takes longer than it may where a machine is emulated")
	}
	a := &askedRules{t: t, lab: netlab.NewRouted(t, netlab.SNATRules(action))}
	var err error
	a.reader, err = conntrack.Open(a.lab.Router.Do)
	if errors.Is(err, conntrack.ErrAbsent) || err == nil && !conntrack.Answers() {
		t.Skipf("connection tracking is not there: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.end()
		if err := a.reader.Close(); err != nil {
			t.Error(err)
		}
	})
	if !a.answered() {
		t.Fatal("there was no answer")
	}
	return a
}

// answered has the rules asked for if that is due, and reports whether there is news.
func (a *askedRules) answered() bool {
	a.t.Helper()
	if a.keep(a.t.Context(), a.reader, a.lab.Router.Do, 0) {
		a.t.Error("news before the answer")
	}
	news := a.wait(a.t.Context(), a.reader)
	if a.late {
		a.t.Skip("nft did not answer in time")
	}
	return news
}

// later makes the last question so much older.
func (a *askedRules) later(d time.Duration) { a.asked = a.asked.Add(-d) }

func (a *askedRules) nft(args ...string) { a.lab.Router.Output("nft", args...) }

// A rule that was changed is asked for long before the rules are old, and not when they
// were asked for right now.
func TestARuleIsChanged(t *testing.T) {
	a := askedOf(t, "snat to "+netlab.NATAddress+":40000-40019")
	if a.told.generation == 0 {
		t.Fatal("the generation of the rules is not known")
	}
	a.later(a.rest)
	if asked := a.asked; a.answered() || a.asked != asked {
		t.Error("asked though nothing was changed")
	}
	a.asked = time.Now()
	a.nft("add", "rule", "ip", "nat", "post", "meta l4proto tcp snat to "+netlab.NATAddress+":40000-40039")
	if a.answered() {
		t.Error("asked again at once")
	}
	a.later(a.rest)
	if !a.answered() {
		t.Fatal("the change was not noticed")
	}
	want := source.PortRange{Low: 40000, High: 40039}
	if n := len(a.told.rules); n != 2 || a.told.rules[1].Ports != want {
		t.Errorf("%+v", a.told.rules)
	}
}

// On a host whose rules change all the time, and not those that translate, these are
// asked for ever less often, until a change is theirs.
func TestOtherRulesAreChanged(t *testing.T) {
	a := askedOf(t, "masquerade")
	for _, want := range []time.Duration{2 * rulesGap, 4 * rulesGap, rulesSoon, rulesSoon} {
		a.nft("add", "table", "ip", "t"+want.String())
		a.nft("delete", "table", "ip", "t"+want.String())
		a.later(a.rest)
		if asked := a.asked; a.answered() || a.asked == asked || a.gap != want {
			t.Fatalf("a gap of %v, want %v", a.gap, want)
		}
	}
	a.nft("flush", "ruleset")
	a.later(a.rest)
	if !a.answered() || a.gap != rulesGap || len(a.told.rules) != 0 {
		t.Errorf("a gap of %v, and %+v", a.gap, a.told.rules)
	}
	if a.take(a.reader, answer{took: time.Second}); a.rest != rulesShare*time.Second {
		t.Errorf("a rest of %v after a second's work", a.rest)
	}
}

// The rules of iptables are of nf_tables too, and those of the older interface are not:
// these are asked for when they are old.
func TestARuleOfIPTablesIsChanged(t *testing.T) {
	a := askedOf(t, "masquerade")
	add := func(tool string) {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
		a.lab.Router.Output(tool, "-t", "nat", "-A", "POSTROUTING", "-o", "r1", "-p", "tcp", "-j", "SNAT", "--to-source", netlab.NATAddress+":40000-40019")
		a.later(a.rest)
	}
	if add("iptables-nft"); !a.answered() || len(a.told.rules) != 2 {
		t.Errorf("%+v", a.told.rules)
	}
	if add("iptables-legacy"); a.answered() {
		t.Error("the kernel told of a change that it does not know")
	}
	a.later(rulesEvery)
	if !a.answered() || len(a.told.rules) != 3 {
		t.Errorf("%+v", a.told.rules)
	}
}
