package session

import (
	"testing"

	"ephtop/model"
	"ephtop/source"
)

// A word that a person has for a namespace finds it.
func TestNamespace(t *testing.T) {
	t.Parallel()
	l := new(Look)
	l.Moment.Add(source.Scope{Netns: 4026531840, Kind: source.ScopeHost, PID: 1})
	l.Moment.Add(source.Scope{Netns: 4026532453, Name: "shop/api", Kind: source.ScopePod, PID: 4410})
	l.Moment.Add(source.Scope{Netns: 4026532528, Name: "blue", Kind: source.ScopeNamed})
	pod := &l.Moment.Snapshots[1]
	pod.Settings.Range = source.PortRange{Low: 1, High: 4}
	pod.Sockets = []source.Socket{{Proto: source.TCP, State: source.Established, LocalPort: 2, RemotePort: 80, Process: source.NoProcess}}
	for i := range l.Moment.Snapshots {
		l.Moment.Snapshots[i].Settings.Range = source.PortRange{Low: 1, High: 4}
	}
	model.NewFleet(model.Options{}).Update(&l.Moment, &l.Overview)
	for want, name := range map[string]string{
		"": "shop/api", "all": "shop/api", "shop/api": "shop/api", "4410": "shop/api", "4026532453": "shop/api", "net:[4026532453]": "shop/api",
		"blue": "blue", "/run/netns/blue": "blue", "self": "", "host": "", "1": "",
	} {
		if st := l.Namespace(want); st == nil || st.Snapshot.Scope.Name != name {
			t.Errorf("%q is %+v, want %q", want, st, name)
		}
	}
	for _, want := range []string{"api", "0", "shop", "net:[]", "unnamed"} {
		if st := l.Namespace(want); st != nil {
			t.Errorf("%q is %+v, want none", want, st.Snapshot.Scope)
		}
	}
}
