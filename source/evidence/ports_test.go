package evidence

import (
	"testing"

	"ephtop/source"
)

func TestPortSets(t *testing.T) {
	a := newPortSet(source.PortRange{Low: 10, High: 20}, source.PortRange{Low: 21, High: 30}, source.PortRange{Low: 50, High: 50}, source.PortRange{Low: 9, High: 3})
	b := newPortSet(source.PortRange{Low: 25, High: 55}, source.PortRange{Low: 0, High: 10})
	tests := []struct {
		name string
		got  portSet
		want string
	}{
		{"ranges that touch are one, empty ones none", a, "10-30,50"},
		{"or", a.or(b), "0-55"},
		{"and", a.and(b), "10,25-30,50"},
		{"minus", a.minus(b), "11-24"},
		{"not", a.not(), "0-9,31-49,51-65535"},
		{"not of nothing", portSet(nil).not(), "0-65535"},
		{"not of everything", everyPort().not(), ""},
		{"and with nothing", a.and(nil), ""},
		{"minus nothing", a.minus(nil), "10-30,50"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.got.String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
