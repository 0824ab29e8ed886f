package text

import "unicode/utf8"

// Clip is [Sanitize], and cuts what is longer than so many bytes between two
// characters.
func Clip(s string, bytes int) string {
	if s = Sanitize(s); len(s) <= bytes {
		return s
	}
	for bytes > 0 && !utf8.RuneStart(s[bytes]) {
		bytes--
	}
	return s[:bytes]
}
