package recording_test

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"ephtop/source"
	"ephtop/source/recording"
)

// TestADiskThatFillsUp lets the file system refuse what goes beyond a size, and
// so leaves half a moment: the file must end with the last whole one.
func TestADiskThatFillsUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	f, err := recording.Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	w := newWriter(t, f)
	list := moments(1, 400, 40, 3)
	for _, s := range list[:2] {
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	// Beyond the limit the kernel also sends SIGXFSZ (setrlimit(2)).
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := syscall.Rlimit{Cur: uint64(info.Size()) + 100, Max: before.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Skip("the size of files can't be limited: ", err)
	}
	err = w.Write(list[2])
	if err2 := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err2 != nil {
		t.Fatal(err2)
	}
	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("error %v", err)
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Errorf("close: %v", err)
	}
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if after.Size() != info.Size() {
		t.Errorf("%d bytes, want the %d of the whole moments", after.Size(), info.Size())
	}
	p, err := recording.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var s source.Moment
	n := 0
	for err = p.Poll(t.Context(), &s); err == nil; err = p.Poll(t.Context(), &s) {
		n++
	}
	if n != 2 || !errors.Is(err, recording.ErrCut) {
		t.Errorf("%d moments, then %v", n, err)
	}
}
