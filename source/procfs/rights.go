package procfs

import (
	"strconv"
	"strings"

	"ephtop/source"
)

// Rights are what this process may see of others: which sockets are theirs.
type Rights struct {
	// Missing names the capabilities that it lacks, as in capabilities(7).
	Missing []string
	// OwnPIDs says that it runs in a pid namespace of its own, so that /proc
	// lists some of the host's processes only.
	OwnPIDs bool
	// OwnUsers says the same of a user namespace: outside of it, its capabilities
	// count for nothing.
	OwnUsers bool
	// Refused says that links below /proc, such as descriptors, may not be read,
	// whoever we are: a sandbox refuses the system call.
	Refused bool
}

// Limit adds to m why sockets may have no process, where the descriptors of so
// many processes were refused: 0 where nobody counted, or all are hidden
// (hidepid).
func (r Rights) Limit(m *source.Moment, refused int) {
	if len(r.Missing) > 0 || refused > 0 || r.Refused || r.OwnUsers && !r.OwnPIDs {
		var words []string
		if refused > 0 {
			words = append(words, strconv.Itoa(refused))
		}
		m.Limit(source.LimitHidden, strings.Join(append(words, r.Missing...), " "))
	}
	if r.OwnPIDs {
		m.Limit(source.LimitOtherPIDs, "")
	}
}
