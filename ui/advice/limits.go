package advice

import (
	"fmt"
	"strconv"
	"strings"

	"ephtop/source"
	"ephtop/ui/text"
)

// Limits says in one sentence each what a look could not see, and why, and
// what to do about it. Details are of foreign origin: what shows the sentences
// strips control characters first.
func Limits(m *source.Moment) []string {
	list := make([]string, len(m.Limits))
	for i, l := range m.Limits {
		list[i] = limit(m, l)
		if l.Code == source.LimitHidden || l.Code == source.LimitOtherPIDs {
			list[i] += ownerless(m)
		}
	}
	return list
}

// ownerless counts the sockets that belong to processes which can't be seen.
func ownerless(m *source.Moment) string {
	n := 0
	for i := range m.Snapshots {
		for j := range m.Snapshots[i].Sockets {
			if s := &m.Snapshots[i].Sockets[j]; s.HasOwner() && s.Process == source.NoProcess {
				n++
			}
		}
	}
	if n == 0 {
		return ""
	}
	return "; " + text.Plural(n, "socket belongs", "sockets belong") + " to processes that can't be seen"
}

func limit(m *source.Moment, l source.Limit) string {
	switch l.Code {
	case source.LimitNote:
		return l.Detail
	case source.LimitHidden:
		return hidden(l.Detail)
	case source.LimitRange:
		return assumed(m, l.Detail)
	case source.LimitNetns:
		return unseen(l.Detail)
	case source.LimitRows:
		return rows(l.Detail)
	case source.LimitTuples:
		return scattered(l.Detail)
	case source.LimitTraceStopped:
		return TraceStopped(l.Detail)
	}
	if s, ok := limitWords[l.Code]; ok {
		return strings.TrimSuffix(strings.Replace(s, "%s", l.Detail, 1), ": ") // of which an anonymous copy has none
	}
	return fmt.Sprintf("%s: %s", l.Code, l.Detail) // of a later version
}

// limitWords are the limits in words; %s stands for the detail.
var limitWords = map[source.LimitCode]string{
	source.LimitInterrupted:   "the socket tables changed during the dump: single sockets may be missing or listed twice",
	source.LimitOtherPIDs:     "processes outside of this container are not seen: run on the host, or with its process ids (--pid=host)",
	source.LimitOthersSockets: "sockets of other users are hidden: run as root to see them",
	source.LimitNoUDP:         "UDP sockets are not seen: the kernel has no udp_diag (modprobe udp_diag)",
	source.LimitOpenFiles:     "sockets that no process holds are not listed, TIME_WAIT above all: lsof lists open files only",
	source.LimitNoTimers:      "the time left of TIME_WAIT is not known: gopsutil does not tell it",
	source.LimitNoBound:       "bound and unconnected TCP sockets are not listed, though they hold ports: gopsutil does not see them",
	source.LimitMerged:        "sockets that share all addresses and ports (SO_REUSEPORT) count as one: gopsutil merges them",
	source.LimitCut:           "the recording was cut: this is its last whole moment",
	source.LimitOwners:        "some sockets have no process: %s",
	source.LimitTables:        "the kernel's own tables are not read (%s): which ports are blocked for everyone is partly a guess",
	source.LimitFallback:      "the kernel's sock_diag can't be used (%s): sockets are read the slow way, without timers and bound sockets",
	source.LimitUntraced:      "closes and failed connects are not traced: %s",
	source.LimitTracePartly:   "refused binds, and UDP and addresses that failed, are not counted, only connects of TCP: %s",
	source.LimitTraceGap:      "some closes and failed connects may be missing: %s",
	source.LimitLostEvents:    "%s traced events were lost, of any network namespace: more happened than the buffer holds",
	source.LimitNAT:           "the ports that source NAT gave out are not seen: %s",
	source.LimitLate:          "no answer from %s: names or command lines may be missing",
	source.LimitReserved:      "reserved ports could not be read (%s): they count as usable",
	source.LimitReuse:         "tcp_tw_reuse could not be read (%s): which TIME_WAIT can be reused is not known",
	source.LimitUnreadable:    "sockets left out because gopsutil gave no readable address or port for them: %s",
}

// rows says how many connections are shown; see source.LimitRows.
func rows(detail string) string {
	var shown, all int
	var bytes int64
	if n, _ := fmt.Sscan(detail, &shown, &all, &bytes); n < 3 {
		return "not all connections are shown, for want of memory"
	}
	return fmt.Sprintf("%s of %s connections are shown: memory is limited to %d MB; the others are counted, but not for who holds them",
		text.Count(shown), text.Count(all), bytes>>20)
}

// scattered says which destinations have figures; see source.LimitTuples.
func scattered(detail string) string {
	var connections, tuples int
	if n, _ := fmt.Sscan(detail, &connections, &tuples); n < 2 {
		return "not all destinations have figures of their own: there are too many"
	}
	return fmt.Sprintf("%s go to more destinations than have figures of their own: the %s with the most ports",
		text.Plural(connections, "connection", "connections"), text.Count(tuples))
}

// TraceStopped says why tracing has stopped by itself; see
// source.LimitTraceStopped.
func TraceStopped(detail string) string {
	events, percent, _ := strings.Cut(detail, " ")
	if n, err := strconv.Atoi(events); err == nil {
		events = text.Count(n)
	}
	return "tracing stopped: " + events + " events/s would cost more than " + percent + " % of a core"
}

// hidden says how many processes are hidden, and which right would show them;
// see source.LimitHidden. Who lacks both rights is hardly root.
func hidden(detail string) string {
	rights := strings.Fields(detail)
	who := "processes are"
	if len(rights) > 0 && !strings.HasPrefix(rights[0], "CAP_") {
		if who = rights[0] + " processes are"; rights[0] == "1" {
			who = "1 process is"
		}
		rights = rights[1:]
	}
	how := "with " + strings.Join(rights, " and ")
	switch len(rights) {
	case 0:
		how = "outside of this user namespace or sandbox"
	case 2:
		how = "as root or " + how
	}
	return who + " hidden: run " + how + " to see which sockets are theirs"
}

// unseen says how many namespaces were not looked at, and why; see
// source.LimitNetns.
func unseen(detail string) string {
	count, why, _ := strings.Cut(detail, " ")
	switch _, err := strconv.Atoi(count); {
	case detail == "portable":
		return "other network namespaces than this one are not seen: gopsutil looks at one"
	case detail == "other-pids":
		return "network namespaces of processes outside of this container are not seen"
	case err != nil:
		return "some network namespaces may not be seen: " + detail
	case strings.HasPrefix(why, "CAP_"):
		why = "run as root or with " + strings.Join(strings.Fields(why), " and ")
	}
	if count == "1" {
		return "1 network namespace was not looked at: " + why
	}
	return count + " network namespaces were not looked at: " + why
}

// assumed says which range stands in for the one that could not be read.
func assumed(m *source.Moment, why string) string {
	whose := "the default of IANA"
	if name := systemNames[m.OS]; name != "" {
		whose = "the default of " + name
	}
	which := ""
	for i := range m.Snapshots {
		if set := &m.Snapshots[i].Settings; set.Assumed {
			which = ", " + set.Range.String() + ","
		}
	}
	return fmt.Sprintf("the port range could not be read (%s): %s%s is assumed; --range sets another", why, whose, which)
}

// systemNames is how people call a system, by its name in runtime.GOOS.
var systemNames = map[string]string{"linux": "Linux", "freebsd": "FreeBSD", "darwin": "macOS", "windows": "Windows"}
