//go:build !linux

package procfs

import (
	"os"

	"ephtop/source"
)

// ReadRights gives no missing right: capabilities and pid namespaces are
// Linux's.
func ReadRights() Rights { return Rights{} }

// OwnScope is this host: network namespaces are Linux's.
func OwnScope(string) source.Scope {
	host, _ := os.Hostname() // "" is shown as no name
	return source.Scope{Host: host}
}
