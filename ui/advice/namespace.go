package advice

import (
	"regexp"
	"slices"
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

// elsewhere reports whether the state is of a namespace that is not the host's,
// and for which the host's files do not set anything.
func (t *teller) elsewhere() bool {
	scope := &t.st.Snapshot.Scope
	return scope.Kind != source.ScopeHost && scope.PID != 0 || t.inside()
}

// inside reports whether we are in the container that the state is of.
func (t *teller) inside() bool {
	return t.st.Snapshot.Scope.Kind == source.ScopeUnnamed && t.inContainer()
}

// aim has remedies set in the namespace that they are meant for: typed on the
// host as they are, they would change the host.
func (t *teller) aim(remedies []Remedy) {
	scope := &t.st.Snapshot.Scope
	inside := t.inside()
	if !t.linux() || !t.elsewhere() {
		return
	}
	lost := "lost when it ends"
	if inside {
		lost = "the container must be started with it"
	}
	switch scope.Kind {
	case source.ScopePod:
		lost = "lost with the pod unless its securityContext.sysctls has it"
	case source.ScopeContainer:
		lost = "lost with the container unless it is started with it (--sysctl)"
	}
	for i := range remedies {
		r := &remedies[i]
		r.Risk = strings.ReplaceAll(r.Risk, lostAtRestart, lost)
		var lines []string
		for line := range strings.SplitSeq(r.Command, "\n") {
			settings := sysctlSettings.FindAllStringSubmatch(line, -1)
			if !strings.HasPrefix(line, "sysctl -w net.") {
				settings = nil
			}
			switch {
			case settings == nil && !strings.HasPrefix(line, "ip address "), inside && settings == nil:
				lines = append(lines, line)
			case !inside:
				lines = append(lines, "nsenter -t "+strconv.Itoa(int(scope.PID))+" -n "+line)
			}
			lines = append(lines, startedWith(scope.Kind, inside, settings)...)
		}
		if r.Command = strings.Join(lines, "\n"); scope.Kind == source.ScopePod && unsafeSysctls.MatchString(r.Command) {
			r.Risk = "an unsafe sysctl, which the kubelet must allow (allowedUnsafeSysctls); " + r.Risk
		}
	}
}

// unsafeSysctls are those of the remedies that Kubernetes calls so.
var unsafeSysctls = regexp.MustCompile(`net\.ipv4\.tcp_(tw_reuse|timestamps|max_tw_buckets|orphan_retries)`)

// sysctlSettings finds the settings of a line of sysctl(8).
var sysctlSettings = regexp.MustCompile(`(net\.[a-z0-9_.]+)="?([^"\s]+(?: [0-9]+)?)"?`)

// startedWith is how a pod or a container is given settings for good. Who looks
// from inside of one does not know which of the two it is.
func startedWith(kind source.ScopeKind, inside bool, settings [][]string) (lines []string) {
	if len(settings) == 0 {
		return nil
	}
	if kind == source.ScopePod || inside {
		lines = append(lines, "pod: spec.securityContext.sysctls: ["+strings.Join(each(settings, func(s []string) string {
			return "{name: " + s[1] + ", value: \"" + s[2] + "\"}"
		}), ", ")+"]")
	}
	if kind == source.ScopeContainer || inside {
		lines = append(lines, "docker run "+strings.Join(each(settings, func(s []string) string {
			return "--sysctl " + s[1] + "=\"" + s[2] + "\""
		}), " ")+" IMAGE")
	}
	return lines
}

// inContainer reports whether the look was from inside of a container, where
// the processes outside are not seen.
func (t *teller) inContainer() bool {
	return slices.ContainsFunc(t.st.Moment.Limits, func(l source.Limit) bool {
		return l.Code == source.LimitOtherPIDs || l.Code == source.LimitNetns && l.Detail == "other-pids"
	})
}
