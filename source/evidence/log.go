package evidence

import (
	"context"
	"slices"
	"strings"
	"time"

	"ephtop/source"
	"ephtop/source/evidence/host"
)

const (
	// lineWidth is the most that is shown of a line.
	lineWidth = 200
	// maxLogBytes bounds what is read from one place.
	maxLogBytes = 4 << 20
)

// phrases are what is looked for, in lower case: the first of each as it is
// shown, then other spellings of the same.
var phrases = [...][]string{
	{"address already in use", "eaddrinuse"},                                                           // EADDRINUSE
	{"cannot assign requested address", "eaddrnotavail", "can't assign requested"},                     // EADDRNOTAVAIL
	{"time wait bucket table overflow"},                                                                // tcp_time_wait
	{"nf_conntrack: table full", "nf_conntrack: nf_conntrack: table full", "ip_conntrack: table full"}, // __nf_conntrack_alloc
	{"possible syn flooding on port"},                                                                  // tcp_syn_flood_action
}

// logLine is one line of a log. Its time is zero where it could not be read.
type logLine struct {
	time time.Time
	text string
}

// count notes a line under each phrase that it holds.
func count(l *source.SystemLog, place string, line logLine) {
	if !line.time.IsZero() && line.time.Before(l.Since) {
		return
	}
	lower := strings.ToLower(line.text)
	for i, spellings := range phrases {
		if slices.ContainsFunc(spellings, func(s string) bool { return strings.Contains(lower, s) }) {
			sight(&l.Phrases[i], place, line)
		}
	}
}

func sight(p *source.LogPhrase, place string, line logLine) {
	i := slices.IndexFunc(p.Sightings, func(s source.LogSighting) bool { return s.Place == place })
	if i < 0 {
		i = len(p.Sightings)
		p.Sightings = append(p.Sightings, source.LogSighting{Place: place})
	}
	s := &p.Sightings[i]
	s.Count++
	if s.Line == "" || !line.time.Before(s.Last) {
		s.Last, s.Line = line.time, host.Clean(line.text, lineWidth)
	}
}

// log looks into the journal, the kernel's own log, and files.
func (h *gatherer) log(ctx context.Context) source.SystemLog {
	l := source.SystemLog{Since: h.opt.Now.Add(-logSince)}
	for _, spellings := range phrases {
		l.Phrases = append(l.Phrases, source.LogPhrase{Text: spellings[0]})
	}
	lookInto(&l, "journal", func(found func(logLine)) source.Status { return h.journal(ctx, l.Since, found) })
	lookInto(&l, "kernel log", h.kernelLog)
	for _, name := range []string{"/var/log/syslog", "/var/log/messages", "/var/log/kern.log"} {
		lookInto(&l, name, func(found func(logLine)) source.Status { return h.logFile(ctx, name, found) })
	}
	l.Status = overall(l.Places)
	return l
}

func lookInto(l *source.SystemLog, name string, look func(found func(logLine)) source.Status) {
	status := look(func(line logLine) { count(l, name, line) })
	l.Places = append(l.Places, source.LogPlace{Name: name, Status: status})
}

// overall is Read with what is missing, if any place was read.
func overall(places []source.LogPlace) source.Status {
	var missing []string
	any, blocked := false, false
	for _, p := range places {
		any = any || p.OK()
		blocked = blocked || p.Outcome == source.OutcomeNotReadable
		if p.Outcome == source.OutcomeNotReadable || p.OK() && p.Reason != "" {
			missing = append(missing, p.Name+": "+p.Reason)
		}
	}
	switch {
	case any:
		return read(strings.Join(missing, "; "))
	case blocked:
		return notReadable("%s", strings.Join(missing, "; "))
	}
	return notThere("no journal, kernel log or log file was found")
}
