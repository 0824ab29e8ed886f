package netns

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Tables come in whole lines, however long they are.
func TestReadTable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tcp")
	var want []byte
	for i := range 5000 {
		want = fmt.Appendf(want, "%4d: 0100007F:%04X 0100007F:0050 06 00000000:00000000 03:000008AF 00000000     0        0 0 3 0000000000000000\n", i, i)
	}
	for _, file := range [][]byte{want, want[:len(want)-1], want[:64<<10], nil} {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		var got []byte
		err := readTable(t.Context(), path, func(lines []byte) {
			if n := len(got); n > 0 && got[n-1] != '\n' {
				t.Errorf("a line is cut behind %d bytes", n)
			}
			got = append(got, lines...)
		})
		if err != nil || !bytes.Equal(got, file) {
			t.Errorf("%d bytes of %d, error %v", len(got), len(file), err)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := readTable(ended, path, func([]byte) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("a poll that has ended reads on: %v", err)
	}
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := readTable(t.Context(), path, func([]byte) {}); err == nil {
		t.Error("a line of a megabyte is read")
	}
}
