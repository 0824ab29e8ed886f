package recording

import (
	"bytes"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// stamp is the beginning of a moment's first line, or of the last line of all.
type stamp struct {
	N      int           `json:"n"`
	T      time.Duration `json:"t"`
	Full   bool          `json:"full"`
	Scopes int           `json:"scopes"`
	// End says that it is no moment: as many make the recording whole.
	End     bool `json:"end"`
	Moments int  `json:"moments"`
}

// longestStamp is enough for a stamp as this package writes it, and the name of
// the field behind.
const longestStamp = 256

// plainStamp reads a stamp as this package writes it, in a fraction of the time:
// to find the end of a recording takes nothing else of each moment.
func plainStamp(text []byte) (s stamp, ok bool) {
	number := func(name string) (digits []byte) {
		if rest, found := bytes.CutPrefix(text, []byte(name)); found {
			n := 0
			for n < len(rest) && (rest[n] == '.' || rest[n] >= '0' && rest[n] <= '9') {
				n++
			}
			digits, text = rest[:n], rest[n:]
		}
		return digits
	}
	n := number(`{"n":`)
	t, err := parseSeconds(number(`,"t":`))
	text, s.Full = bytes.CutPrefix(text, []byte(`,"full":true`))
	scopes := number(`,"scopes":`)
	if err != nil || !natural(n, &s.N) || !natural(scopes, &s.Scopes) {
		return s, false
	}
	s.T = t
	plain := bytes.HasPrefix(text, []byte(`,"`)) && !bytes.HasPrefix(text, []byte(`,"full"`))
	return s, plain || string(text) == "}\n"
}

// natural reads a whole number as JSON has it, of up to 9 digits.
func natural(digits []byte, to *int) bool {
	if len(digits) == 0 || len(digits) > 9 || digits[0] == '0' && len(digits) > 1 {
		return false
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return false
		}
		*to = 10**to + int(d-'0')
	}
	return true
}

// readStamp reads the beginning of a line.
func readStamp(dec *jsontext.Decoder) (stamp, error) {
	s := stamp{N: -1, T: -1}
	err := leading(dec, func(name string) (bool, error) {
		switch name {
		case "n":
			return true, json.UnmarshalDecode(dec, &s.N)
		case "t":
			return true, readSeconds(dec, &s.T)
		case "full":
			return true, json.UnmarshalDecode(dec, &s.Full)
		case "scopes":
			return true, json.UnmarshalDecode(dec, &s.Scopes)
		case "end":
			return true, json.UnmarshalDecode(dec, &s.End)
		case "moments":
			return true, json.UnmarshalDecode(dec, &s.Moments)
		}
		return false, nil
	})
	return s, err
}
