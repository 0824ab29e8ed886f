package advice

import "strings"

// Told remembers which remedies a reader was told, so that one that serves
// several findings is told once.
type Told map[Remedy]bool

// Once gives the indices of the remedies that are new, and names those that were
// told before: "as above: widen the range; …", "" for none. What a remedy would
// change may differ from finding to finding.
func (t Told) Once(list []Remedy) (fresh []int, above string) {
	var again []string
	for i, r := range list {
		same := Remedy{What: r.What, Command: r.Command, Config: r.Config}
		if t[same] {
			again = append(again, r.What)
			continue
		}
		t[same] = true
		fresh = append(fresh, i)
	}
	if len(again) == 0 {
		return fresh, ""
	}
	return fresh, "as above: " + strings.Join(again, "; ")
}
