package command

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"ephtop/model/filter"
	"ephtop/source"
	"ephtop/source/recording/anonymize"
)

// checkFilter refuses a filter by an address or a name that will be replaced, before
// there is any output: it would find nothing, and tell on the screen what was to be
// nowhere.
func (e *exported) checkFilter(ctx context.Context) error {
	terms := e.whoTerms()
	if e.anonymizer == nil || len(terms) == 0 || e.player.Live() {
		return nil
	}
	r, err := e.player.Moments()
	if err != nil {
		return err
	}
	defer r.Close()
	a := anonymize.NewRepeatable()
	a.Keep(e.keep)
	var m source.Moment
	for ctx.Err() == nil {
		if r.Next(&m) != nil || a.Apply(&m) != nil {
			break // how it ends is said by who reads it next
		}
	}
	for _, t := range terms {
		if t.Key == "cmd" {
			return usagef("the filter %s is by command lines, which are left out: use proc: or --as-is", t.Text)
		}
		for _, word := range wordsOf(t) {
			standIn := a.StandIn(word)
			if standIn == "" && t.Key != "" {
				standIn = a.StandInOfPart(word)
			}
			if standIn != "" {
				return usagef("the filter %s is by what has a stand-in, %s: use that, --keep-names or --as-is", t.Text, standIn)
			}
		}
	}
	return ctx.Err()
}

// whoTerms are the terms of --filter, and of filters that --keys types, that ask for
// what has stand-ins.
func (e *exported) whoTerms() []filter.Term {
	terms := e.flags.filter.Terms()
	for _, typed := range e.frames.Keys.Typed() {
		_, expr, ok := strings.Cut(typed, "/")
		if f, err := filter.Parse(expr); ok && err == nil {
			terms = append(terms, f.Terms()...)
		}
	}
	keys := filter.Keys()
	return slices.DeleteFunc(terms, func(t filter.Term) bool {
		return t.Key != "" && !slices.ContainsFunc(keys, func(k filter.Key) bool {
			return k.Name == t.Key && (k.Kind == filter.Text || k.Kind == filter.Name || k.Kind == filter.Address)
		})
	})
}

// wordsOf are the values of a term; of an address with a port, the address.
func wordsOf(t filter.Term) []string {
	_, values, found := strings.Cut(t.Text, ":")
	if t.Key == "" || !found {
		values = t.Text
	}
	words := strings.FieldsFunc(values, func(r rune) bool { return strings.ContainsRune(`!=,"`, r) })
	for i, word := range words {
		if end, err := netip.ParseAddrPort(word); err == nil {
			words[i] = end.Addr().String()
		}
	}
	return words
}
