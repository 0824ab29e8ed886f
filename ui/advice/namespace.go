package advice

import (
	"strconv"

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
