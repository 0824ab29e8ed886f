package procfs

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"testing"
)

// dirent makes an entry as getdents64 gives it.
func dirent(name string) []byte {
	b := make([]byte, (direntName+len(name)+1+7)&^7)
	binary.NativeEndian.PutUint16(b[direntLength:], uint16(len(b)))
	copy(b[direntName:], name)
	return b
}

func TestParseNumbers(t *testing.T) {
	t.Parallel()
	b := slices.Concat(dirent("."), dirent("12"), dirent("self"), dirent("2147483647"), dirent("2147483648"), dirent("1x"), dirent("0"))
	if got, want := parseNumbers(b, nil), []int32{12, 2147483647, 0}; !slices.Equal(got, want) {
		t.Errorf("numbers %v, want %v", got, want)
	}
}

func FuzzParseNumbers(f *testing.F) {
	f.Add(slices.Concat(dirent("."), dirent("12")))
	f.Add(dirent("7")[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, n := range parseNumbers(b, nil) {
			if n < 0 || !bytes.Contains(b, []byte(strconv.Itoa(int(n)))) {
				t.Errorf("%d is not in %q", n, b)
			}
		}
	})
}
