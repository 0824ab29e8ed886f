package portable

import (
	"context"
	"os"
	"testing"
)

func TestParseStart(t *testing.T) {
	const rest = " S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 99 100"
	tests := []struct {
		name, stat string
		want       uint64
		ok         bool
	}{
		{"a plain name", "7 (api)" + rest, 4711, true},
		{"a name with a space and brackets", "7 (a) b (c) 1 2)" + rest, 4711, true},
		{"nothing behind it", "7 (api) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711", 4711, true},
		{"an empty file", "", 0, false},
		{"no name", "7 api" + rest, 0, false},
		{"too short", "7 (api) S 1 1", 0, false},
		{"not a number", "7 (api) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 soon", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseStart(tt.stat)
			if got != tt.want || (err == nil) != tt.ok {
				t.Errorf("got %d, %v, want %d, ok %v", got, err, tt.want, tt.ok)
			}
		})
	}
}

func TestStartOf(t *testing.T) {
	own, err := startOf(context.Background(), int32(os.Getpid()))
	if err != nil || own == 0 {
		t.Errorf("this process: %d, %v", own, err)
	}
	if _, err := startOf(context.Background(), -1); !os.IsNotExist(err) {
		t.Errorf("no process: %v, want not-exist", err)
	}
}

func FuzzParseStart(f *testing.F) {
	f.Add("7 (api) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 99 100")
	f.Add("")
	f.Add(")")
	f.Add("7 (a) b) S 1")
	f.Fuzz(func(t *testing.T, stat string) {
		start, err := parseStart(stat)
		if err != nil && start != 0 && start != 1<<64-1 {
			t.Errorf("%q gave %d beside an error", stat, start)
		}
	})
}
