package command

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/session"
)

// onlyOf is the namespace that an export is of: its name is of the recording, and
// what is shown may have a stand-in for that.
type onlyOf struct {
	// asked says that --netns names one.
	asked bool
	// there says that the moment that was read last has it.
	there bool
	// inode is that of the one that is called so at that moment, 0 where inodes are
	// not known: a name may be given again.
	inode uint64
	// since is the first moment that is to be exported and has it.
	since time.Time
}

// findNamespace refuses a --netns that means nothing, before there is any work. Of
// what comes through a pipe this is known at the end only.
func (e *exported) findNamespace(ctx context.Context) error {
	want := e.flags.netns
	e.only.asked = want != "" && want != session.AllNamespaces && want != session.OwnNamespace
	if !e.only.asked || e.player.Live() {
		return nil
	}
	if e.at != nil {
		if _, err := e.at.within(e.player.Span()); err != nil {
			return &usageError{err}
		}
	}
	r, err := e.player.Moments()
	if err != nil {
		return err
	}
	defer r.Close()
	var m source.Moment
	var seen []source.Scope
	for ctx.Err() == nil {
		if err := r.Next(&m); err != nil {
			break // how it ends is said by who reads it next
		}
		if e.at != nil && m.Time.After(e.until()) {
			break
		}
		e.only.note(&m, want)
		if e.at == nil && e.only.there {
			e.only.since = m.Time
			return nil
		}
		seen = scopesOf(seen[:0], &m)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case e.only.there || len(seen) == 0:
		return nil
	case e.at != nil:
		return e.noNamespace("at that moment", seen)
	}
	return e.noNamespace("in the recording", seen)
}

// until is the end of what --at means.
func (e *exported) until() time.Time {
	first, _ := e.player.Span()
	return e.at.after(first).to
}

func scopesOf(list []source.Scope, m *source.Moment) []source.Scope {
	for i := range m.Snapshots {
		list = append(list, m.Snapshots[i].Scope)
	}
	return list
}

// note finds the namespace in a moment that has its names yet.
func (o *onlyOf) note(m *source.Moment, want string) {
	o.there, o.inode = false, 0
	i := slices.IndexFunc(m.Snapshots, func(s source.Snapshot) bool { return session.IsCalled(&s.Scope, want) })
	if i >= 0 {
		o.there, o.inode = true, m.Snapshots[i].Scope.Netns
	}
}

// word is what means the namespace where it has a stand-in.
func (o *onlyOf) word() string { return fmt.Sprintf("net:[%d]", o.inode) }

// chosen is that of app, whatever stands for the name.
func (e *exported) chosen(l *session.Look) (*model.State, error) {
	if e.only.asked && e.anonymizer != nil && e.only.inode != 0 {
		if st := l.Namespace(e.only.word()); st != nil {
			return st, nil
		}
	}
	return e.app.chosen(l)
}
