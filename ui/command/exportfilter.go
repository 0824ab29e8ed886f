package command

import (
	"net/netip"
	"slices"
	"strings"

	"ephtop/model/filter"
)

// checkFilter refuses a --filter by an address or a name that was replaced: it has
// found nothing, and tells on the screen what was to be nowhere.
func (e *exported) checkFilter() error {
	if e.anonymizer == nil {
		return nil
	}
	for _, t := range e.flags.filter.Terms() {
		if !tellsWho(t.Key) {
			continue
		}
		_, values, found := strings.Cut(t.Text, ":")
		if t.Key == "" || !found {
			values = t.Text
		}
		for word := range strings.FieldsFuncSeq(values, func(r rune) bool { return strings.ContainsRune(`!=,"`, r) }) {
			if end, err := netip.ParseAddrPort(word); err == nil {
				word = end.Addr().String()
			}
			if standIn := e.anonymizer.StandIn(word); standIn != "" {
				return usagef("--filter: %s has a stand-in, %s: use that, --keep-names or --as-is", t.Text, standIn)
			}
		}
	}
	return nil
}

// tellsWho says whether what is asked for by a key of the filter has stand-ins.
func tellsWho(key string) bool {
	return key == "" || slices.ContainsFunc(filter.Keys(), func(k filter.Key) bool {
		return k.Name == key && (k.Kind == filter.Text || k.Kind == filter.Name || k.Kind == filter.Address)
	})
}
