package command

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/session"
)

func (f *flags) parseNetns(s string) error {
	if s == "" {
		return errors.New(`bad namespace "": use all, self, a name, a pid or a path`)
	}
	f.netns = s
	return nil
}

// completeNetns offers the namespaces that have a name (ip-netns(8)).
func completeNetns(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	found := []string{session.AllNamespaces + "\tall of the host, the worst first", session.OwnNamespace + "\tonly the one that it runs in"}
	names, err := os.ReadDir("/run/netns")
	if err != nil {
		return found, cobra.ShellCompDirectiveDefault
	}
	for _, n := range names {
		found = append(found, n.Name()+"\tnamed by ip netns")
	}
	return found, cobra.ShellCompDirectiveDefault // a path is one too
}

// chosen gives the State of the namespace that --netns asks for, of a past that
// holds them all.
func (a *app) chosen(l *session.Look) (*model.State, error) {
	if st := l.Namespace(a.flags.netns); st != nil {
		return st, nil
	}
	var scopes []source.Scope
	for _, st := range l.Overview.States {
		scopes = append(scopes, st.Snapshot.Scope)
	}
	return nil, a.noNamespace("at that moment", scopes)
}

// noNamespace is the error of a --netns that means none of these.
func (a *app) noNamespace(where string, scopes []source.Scope) error {
	var names []string
	for i := range scopes[:min(len(scopes), 12)] {
		if name := advice.Namespace(&scopes[i]); name != "" {
			names = append(names, name)
		}
	}
	return usagef("--netns: there is no %q %s: use %s", a.flags.netns, where, list(append(names, session.OwnNamespace, session.AllNamespaces)))
}

// begun is the namespace that the dashboard of a past begins with.
func (a *app) begun() string {
	if a.flags.netns == session.AllNamespaces {
		return ""
	}
	return a.flags.netns
}
