package paint

import (
	"testing"

	"ephtop/ui/text"
)

// What counts ports keeps the number whole, whatever the width.
func TestPortsOfAFold(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		addr  string
		width int
		n     int
		want  string
	}{
		{"10.0.4.7", 21, 9804, "10.0.4.7: 9,804 ports"},
		{"10.0.4.7", 20, 9804, "10.0.4.7: 9,804×"},
		{"10.0.4.7", 16, 9804, "10.0.4.7: 9,804×"},
		{"10.0.4.7", 15, 9804, "10.0.4…: 9,804×"},
		{"10.0.4.7", 6, 9804, "9,804×"},
		{"2001:db8::4:7", 28, 12, "[2001:db8::4:7]: 12 ports"},
		{"2001:db8::4:7", 14, 28232, "[200…: 28,232×"},
	} {
		got := string(plain().ports(test.width, addr(test.addr), test.n))
		if got != test.want || text.Width(got) > test.width {
			t.Errorf("%s in %d columns: %q, want %q", test.addr, test.width, got, test.want)
		}
	}
}
