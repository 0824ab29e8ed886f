package command

import (
	"slices"
	"strings"
)

// instead says what to write in place of a word that is none of words: the one
// that is meant, where that is clear, or else any of them.
func instead(word string, words []string) string {
	if near := nearest(word, words); near != "" {
		return "did you mean " + near + "?"
	}
	return "use " + list(words)
}

// nearest gives the one of words that somebody meant who wrote another one: the
// only one that has it as a part, or else the first of those that the fewest
// slips of the fingers lead away from; "" where there are too many.
func nearest(word string, words []string) string {
	bare := func(w string) string { return strings.ToLower(strings.TrimLeft(w, "-")) }
	word = bare(word)
	if len(word) < 3 {
		return "" // everything is near
	}
	has := func(w string) bool { return strings.Contains(bare(w), word) }
	if i := slices.IndexFunc(words, has); i >= 0 && !slices.ContainsFunc(words[i+1:], has) {
		return words[i]
	}
	near, most := "", 1+len(word)/6
	for _, w := range words {
		if n := slips(word, bare(w)); n <= most {
			near, most = w, n-1
		}
	}
	return near
}

// slips counts the letters that were left out, put in, taken for others or
// swapped with the next one, to make one word of another.
func slips(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			other := 1
			if a[i-1] == b[j-1] {
				other = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+other)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
