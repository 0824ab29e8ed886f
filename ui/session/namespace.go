package session

import (
	"path"
	"strconv"
	"strings"

	"ephtop/model"
	"ephtop/source"
)

// The namespaces that have a word of their own, as --netns has them.
const (
	AllNamespaces = "all"  // of which the worst is spoken of
	OwnNamespace  = "self" // of who looked: the first one of a moment
)

// Namespace returns the State that is meant by AllNamespaces, OwnNamespace, a
// name, a pid, a path or an inode number ("net:[4026531840]"); nil where the
// look saw no such namespace.
func (l *Look) Namespace(want string) *model.State {
	if want == "" || want == AllNamespaces {
		return l.State()
	}
	for _, st := range l.Overview.States {
		s := &st.Snapshot.Scope
		switch {
		case want != OwnNamespace:
			if IsCalled(s, want) {
				return st
			}
		case len(l.Moment.Snapshots) == 0 || s.Same(&l.Moment.Snapshots[0].Scope):
			return st
		}
	}
	return nil
}

// IsCalled tells whether a word, as --netns takes it, means a namespace.
func IsCalled(s *source.Scope, want string) bool {
	if s.Name == want || s.Kind == source.ScopeHost && want == s.Kind.String() || strings.Contains(want, "/") && s.Name == path.Base(want) {
		return true
	}
	digits := strings.TrimSuffix(want[strings.IndexByte(want, '[')+1:], "]")
	n, err := strconv.ParseUint(digits, 10, 64)
	return err == nil && n != 0 && (n == s.Netns || n == uint64(s.PID))
}
