package advice

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ephtop/model"
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

// where is Namespace within a sentence.
func where(s *source.Scope) string {
	if name := Namespace(s); name != "" && name != "host" {
		return name
	}
	return "this host"
}

// elsewhere reports whether the state is of a namespace that is not the host's,
// and for which the host's files do not set anything.
func (t *teller) elsewhere() bool {
	return t.enter() != "" || t.inside()
}

// enter is what to type before a command, so that it is about the namespace of
// the state; "" where it is the host's, or our own. Where no process of it is known, PID
// stands for one, as UNIT does for a unit, and NAME for a name that a shell would not take
// as one word.
func (t *teller) enter() string {
	switch scope := t.scope; {
	case scope.Kind == source.ScopeHost:
	case scope.PID != 0:
		return "nsenter -t " + strconv.Itoa(int(scope.PID)) + " -n "
	case scope.Kind == source.ScopeNamed && scope.Name != "":
		name := "NAME"
		if plainName.MatchString(scope.Name) {
			name = scope.Name
		}
		return "ip netns exec " + name + " "
	case scope.Netns != 0 && !t.inside():
		return "nsenter -t PID -n "
	}
	return ""
}

// enter is what to type before a command about the namespace that is examined.
func (e *examiner) enter() string { return e.teller().enter() }

// teller tells of no finding, and so of the namespace alone.
func (e *examiner) teller() *teller { return newTeller(e.st, new(model.Finding)) }

// plainName is a name that a shell takes for itself.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._@:+-]*$`)

// inside reports whether we are in the container that the state is of.
func (t *teller) inside() bool {
	return t.scope.Kind == source.ScopeUnnamed && t.inContainer()
}

// aim has remedies typed in the namespace that they are meant for: on the host,
// they would change the host, or show its sockets.
func (t *teller) aim(remedies []Remedy) {
	scope := t.scope
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
			switch set := sysctlSettings.FindAllStringSubmatch(line, -1); {
			case strings.HasPrefix(line, "sysctl -w net.") && !strings.HasPrefix(line, trackingLimit):
				if !inside {
					lines = append(lines, t.enter()+line)
				}
				lines = append(lines, t.startedWith(r, set)...)
			case ofNamespace.MatchString(line):
				lines = append(lines, t.enter()+line)
			default:
				lines = append(lines, line)
			}
		}
		if r.Command = strings.Join(lines, "\n"); scope.Kind == source.ScopePod && unsafeSysctls.MatchString(r.Command) {
			r.Risk = "an unsafe sysctl, which the kubelet must allow (allowedUnsafeSysctls); " + r.Risk
		}
	}
}

// ofNamespace are the commands that show or change what is the namespace's.
var ofNamespace = regexp.MustCompile(`^(ip|ss|tcpdump|nft|iptables) `)

// unsafeSysctls are those of the remedies that Kubernetes calls so.
var unsafeSysctls = regexp.MustCompile(`net\.ipv4\.tcp_(tw_reuse|timestamps|max_tw_buckets|orphan_retries)`)

// sysctlSettings finds the settings of a line of sysctl(8).
var sysctlSettings = regexp.MustCompile(`(net\.[a-z0-9_.]+)="?([^"\s]+(?: [0-9]+)?)"?`)

// startedWith is how a container is given settings for good, and writes into the
// remedy how a pod is. Who looks from inside of one does not know which of the
// two it is.
func (t *teller) startedWith(r *Remedy, settings [][]string) (lines []string) {
	kind, inside := t.scope.Kind, t.inside()
	if kind == source.ScopePod || inside {
		r.Config = strings.TrimPrefix(r.Config+"\npod: spec.securityContext.sysctls: ["+strings.Join(each(settings, func(s []string) string {
			return "{name: " + s[1] + ", value: \"" + s[2] + "\"}"
		}), ", ")+"]", "\n")
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
