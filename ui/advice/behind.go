package advice

import (
	"fmt"
	"slices"

	"ephtop/model"
	"ephtop/ui/text"
)

// passes reports whether what the finding is about goes through ports that end before
// those of the namespace itself: of source NAT on this host, or of a NAT on the way.
func (t *teller) passes() bool {
	switch t.Problem {
	case model.TupleFull, model.SlowConnect, model.NoPooling, model.SynSent, model.ReuseOff:
		return t.NATPool != nil || t.Way != nil
	}
	return false
}

// behind adds to the words of a finding what ends first, and puts before its remedies
// those that help there. More ports of the range help nobody then, but for connects
// that are slow by themselves.
func (t *teller) behind(a Advice) Advice {
	if !t.passes() {
		return a
	}
	a.Seen += "; " + t.passed()
	if t.Problem != model.SynSent {
		a.Why += " What translates them ends first, and more ports of the range are no help there."
	}
	list := t.passing()
	helps := list
	for _, r := range a.Remedies {
		switch {
		case slices.ContainsFunc(helps, func(f Remedy) bool { return f.What == r.What }):
			continue
		case r.OfRange && (t.Problem == model.TupleFull || t.Problem == model.NoPooling):
			continue
		case r.OfRange:
			r.What = "for its own range only: " + r.What
		}
		list = append(list, r)
	}
	a.Remedies = list
	return a
}

// passing are the remedies where the connections pass, typed there.
func (t *teller) passing() []Remedy {
	if t.NATPool == nil {
		list := append([]Remedy{t.fewerAtATime()}, t.wayRemedies()...)
		t.aim(list)
		return list
	}
	there := *t
	there.scope = &t.NAT.Scope
	list := there.natRemedies()
	there.aim(list)
	return list
}

// passed says through what they go, and how full that is.
func (t *teller) passed() string {
	if p := t.NATPool; p != nil {
		return fmt.Sprintf("they leave through SNAT of %s, where %s of %s of %s are used (%s %%)", where(&t.NAT.Scope),
			text.Count(p.Used), text.Plural(p.Capacity(), "port", "ports"), p.Address, percent(p.Used, p.Capacity()))
	}
	return fmt.Sprintf("they leave through the NAT on the way, where %s are used (--nat)", WayUsed(t.Way))
}

// passedTold is the sentence of ports of the range where others end first.
func (t *teller) passedTold() string {
	kind, used := "NAT", ""
	if p := t.NATPool; p != nil {
		kind, used = "SNAT", percent(p.Used, p.Capacity())
	} else {
		used = WayShare(t.Way)
	}
	return t.oneOf(kind+" ports for {who} to {to}: ", kind+" ports to {to}: ") + used + " % used; own: " + t.becomes()
}

// translator is what drops the connects of the finding, "" for nothing that is known.
func (t *teller) translator() string {
	switch {
	case t.NATPool != nil && t.NAT.Loses(t.NATPool):
		return "SNAT"
	case t.NATPool == nil && t.Way != nil && t.Way.Used() == t.Way.Ports:
		return "NAT"
	}
	return ""
}

// untracked is where connection tracking has no room for an entry of the finding's
// connects, nil where it has.
func (t *teller) untracked() *model.NATState {
	if t.Problem != model.SynSent || t.NATPool != nil {
		return nil
	}
	return t.NAT
}

// Within puts the name of a namespace before words about it, unless these begin with
// it: a container is often called as its process is.
func Within(space, words string) string {
	name := text.Truncate(space, nameWidth)
	if space == "" || len(words) > len(name) && words[:len(name)] == name && (words[len(name)] == ':' || words[len(name)] == ' ') {
		return words
	}
	return space + ": " + words
}
