package source

// Scope says which network namespace of which host something is about. Host,
// Netns and Cookie are its identity.
type Scope struct {
	Host string `json:"host,omitempty"`
	// Netns is the inode number of the namespace, as in "net:[4026531840]"
	// (namespaces(7)), or 0 where there is only one or it is not known.
	Netns uint64 `json:"netns,omitempty"`
	// Cookie tells two namespaces apart that had the same inode number one after
	// the other (SO_NETNS_COOKIE, Linux 5.14). 0 where it is not known.
	Cookie uint64 `json:"cookie,omitempty"`
	// Name is what people call it, "" where it has no name.
	Name string    `json:"name,omitempty"`
	Kind ScopeKind `json:"kind,omitempty"`
	// PID is the process that it has its name from, the oldest one in it; 0
	// where it has none but our own.
	PID int32 `json:"pid,omitempty"`
}

// Same reports whether s and t are one namespace. An unknown cookie says
// nothing.
func (s *Scope) Same(t *Scope) bool {
	return s.Host == t.Host && s.Netns == t.Netns && (s.Cookie == t.Cookie || s.Cookie == 0 || t.Cookie == 0)
}

// ScopeKind says what a namespace belongs to.
type ScopeKind uint8

// The kinds of scope.
const (
	ScopeUnnamed   ScopeKind = iota
	ScopeHost                // the host's own
	ScopePod                 // of Kubernetes
	ScopeContainer           // of a container engine
	ScopeUnit                // of a systemd unit
	ScopeNamed               // mounted under a name, as by ip netns
)

var scopeKinds = [...]string{"unnamed", "host", "pod", "container", "unit", "named"}

// String gives "host", "pod", "container", "unit", "named" or "unnamed".
func (k ScopeKind) String() string {
	if int(k) < len(scopeKinds) {
		return scopeKinds[k]
	}
	return scopeKinds[ScopeUnnamed]
}
