package advice

import (
	"strconv"
	"strings"

	"ephtop/source"
	"ephtop/ui/text"
)

// Namespace names a network namespace: as people do where they have a name for
// it, else "host", or by its number as ip(8) and lsns(8) know it. It is "" where
// nothing is known of it.
func Namespace(s *source.Scope) string {
	switch {
	case s.Name != "":
		return text.Sanitize(s.Name)
	case s.Kind == source.ScopeHost:
		return "host"
	case s.Netns != 0:
		return "net:[" + strconv.FormatUint(s.Netns, 10) + "]"
	}
	return ""
}

// aim has remedies set in the namespace that they are meant for: typed on the
// host as they are, they would change the host.
func (t *teller) aim(remedies []Remedy) {
	scope := &t.st.Snapshot.Scope
	if !t.linux() || scope.Kind == source.ScopeHost || scope.PID == 0 {
		return
	}
	lost := "lost when it ends"
	switch scope.Kind {
	case source.ScopePod:
		lost = "lost with the pod unless its securityContext.sysctls has it"
	case source.ScopeContainer:
		lost = "lost with the container unless it is started with it (--sysctl)"
	}
	for i := range remedies {
		r := &remedies[i]
		r.Risk = strings.ReplaceAll(r.Risk, lostAtRestart, lost)
		lines := strings.Split(r.Command, "\n")
		for i, line := range lines {
			if strings.HasPrefix(line, "sysctl -w net.") || strings.HasPrefix(line, "ip address ") {
				lines[i] = "nsenter -t " + strconv.Itoa(int(scope.PID)) + " -n " + line
			}
		}
		r.Command = strings.Join(lines, "\n")
	}
}
