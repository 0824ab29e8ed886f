package evidence

import "slices"

// sortedSet is a copy of texts in order, each once.
func sortedSet(texts []string) []string {
	texts = slices.Clone(texts)
	slices.Sort(texts)
	return slices.Compact(texts)
}
