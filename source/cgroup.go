package source

// Cgroup is a control group (cgroups(7)), as far as its path says what it is
// for.
type Cgroup struct {
	// ID is the kernel's number of it: as in Socket.Cgroup with version 2, else
	// the inode number of its directory with bit 62 set, for it may be another's
	// of version 2.
	ID uint64 `json:"id"`
	// Path is below the root of its hierarchy: "/system.slice/nginx.service".
	Path string `json:"path"`
	// Unit is the unit of systemd, "nginx.service", or "".
	Unit string `json:"unit"`
	// Container is the name of the container or of the pod with its namespace,
	// as "web" or "shop/api-7d9f"; "" for none. Kind is ScopeContainer or
	// ScopePod then.
	Container string    `json:"container"`
	Kind      ScopeKind `json:"kind"`
}
