package evidence

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Log is what the system log says about ports that ran out.
type Log struct {
	// Status is Read when at least one place was read.
	Status
	// Since is how far back was looked.
	Since time.Time `json:"since"`
	// Places are where was looked, each with its own outcome.
	Places []LogPlace `json:"places,omitempty"`
	// Phrases are all that were looked for, those that were not found too.
	Phrases []Phrase `json:"phrases,omitempty"`
}

// LogPlace is a place that holds log lines.
type LogPlace struct {
	Name string `json:"name"` // "journal", "kernel log", "/var/log/syslog"
	Status
}

// Phrase is something that programs or the kernel write when ports run out.
type Phrase struct {
	Text string `json:"text"`
	// Sightings are the places where it was found. The same line may stand in
	// several, so their counts do not add up.
	Sightings []Sighting `json:"sightings,omitempty"`
}

// Sighting is a phrase in one place.
type Sighting struct {
	Place string    `json:"place"`
	Count int       `json:"count"`
	Last  time.Time `json:"last,omitzero"` // zero where the line had no time
	Line  string    `json:"line"`          // the last one, cleaned and cut to 200 columns
}

// Most is the sighting with the highest count; the zero value if there is
// none.
func (p Phrase) Most() Sighting {
	var most Sighting
	for _, s := range p.Sightings {
		if s.Count > most.Count {
			most = s
		}
	}
	return most
}

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
func (l *Log) count(place string, line logLine) {
	if !line.time.IsZero() && line.time.Before(l.Since) {
		return
	}
	lower := strings.ToLower(line.text)
	for i, spellings := range phrases {
		if slices.ContainsFunc(spellings, func(s string) bool { return strings.Contains(lower, s) }) {
			l.Phrases[i].add(place, line)
		}
	}
}

func (p *Phrase) add(place string, line logLine) {
	i := slices.IndexFunc(p.Sightings, func(s Sighting) bool { return s.Place == place })
	if i < 0 {
		i = len(p.Sightings)
		p.Sightings = append(p.Sightings, Sighting{Place: place})
	}
	s := &p.Sightings[i]
	s.Count++
	if s.Line == "" || !line.time.Before(s.Last) {
		s.Last, s.Line = line.time, clean(line.text, lineWidth)
	}
}

// log looks into the journal, the kernel's own log, and files.
func (h *host) log(ctx context.Context) Log {
	l := Log{Since: h.Now.Add(-h.LogSince)}
	for _, spellings := range phrases {
		l.Phrases = append(l.Phrases, Phrase{Text: spellings[0]})
	}
	l.place("journal", func(found func(logLine)) Status { return h.journal(ctx, l.Since, found) })
	l.place("kernel log", h.kernelLog)
	for _, name := range []string{"/var/log/syslog", "/var/log/messages", "/var/log/kern.log"} {
		l.place(name, func(found func(logLine)) Status { return h.logFile(ctx, name, found) })
	}
	l.Status = l.overall()
	return l
}

func (l *Log) place(name string, read func(found func(logLine)) Status) {
	status := read(func(line logLine) { l.count(name, line) })
	l.Places = append(l.Places, LogPlace{name, status})
}

// overall is Read with what is missing, if any place was read.
func (l *Log) overall() Status {
	var missing []string
	any, blocked := false, false
	for _, p := range l.Places {
		any = any || p.OK()
		blocked = blocked || p.Outcome == NotReadable
		if p.Outcome == NotReadable || p.OK() && p.Reason != "" {
			missing = append(missing, p.Name+": "+p.Reason)
		}
	}
	switch {
	case any:
		return Status{Read, strings.Join(missing, "; ")}
	case blocked:
		return Status{NotReadable, strings.Join(missing, "; ")}
	}
	return notThere("no journal, kernel log or log file was found")
}
