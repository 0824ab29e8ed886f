package advice

// Told remembers which remedies a reader was told, so that one that serves
// several findings is told once.
type Told map[Remedy]bool

// Again reports whether the same was told before. What it would change may
// differ from finding to finding.
func (t Told) Again(r *Remedy) bool {
	same := Remedy{What: r.What, Command: r.Command, Config: r.Config}
	again := t[same]
	t[same] = true
	return again
}
