package source

import "time"

// SystemLog is what the system log says about ports that ran out.
type SystemLog struct {
	// Status is Read when at least one place was read.
	Status
	// Since is how far back was looked.
	Since time.Time `json:"since"`
	// Places are where was looked, each with its own outcome.
	Places []LogPlace `json:"places,omitempty"`
	// Phrases are all that were looked for, those that were not found too.
	Phrases []LogPhrase `json:"phrases,omitempty"`
}

// LogPlace is a place that holds log lines.
type LogPlace struct {
	Name string `json:"name"` // "journal", "kernel log", "/var/log/syslog"
	Status
}

// LogPhrase is something that programs or the kernel write when ports run out.
type LogPhrase struct {
	Text string `json:"text"`
	// Sightings are the places where it was found. The same line may stand in
	// several, so their counts do not add up.
	Sightings []LogSighting `json:"sightings,omitempty"`
}

// LogSighting is a phrase in one place.
type LogSighting struct {
	Place string    `json:"place"`
	Count int       `json:"count"`
	Last  time.Time `json:"last,omitzero"` // zero where the line had no time
	Line  string    `json:"line"`          // the last one, cleaned and cut to 200 columns
}

// Most is the sighting with the highest count; the zero value if there is
// none.
func (p LogPhrase) Most() LogSighting {
	var most LogSighting
	for _, s := range p.Sightings {
		if s.Count > most.Count {
			most = s
		}
	}
	return most
}
