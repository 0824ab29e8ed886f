package session

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ephtop/source/recording"
)

// flightFile takes what is to be written, and never waits for who writes it.
type flightFile struct {
	parts chan []byte
	done  chan struct{} // closed when all is on disk, or nothing more will be
	kept  bool          // something is on disk; to be read when done
	cut   bool          // something of it is lost; as the status is
}

// flightQueue is how many moments may wait for a disk.
const flightQueue = 64

func newFlightFile() *flightFile {
	return &flightFile{parts: make(chan []byte, flightQueue), done: make(chan struct{})}
}

// ended reports whether nothing more is written.
func (f *flightFile) ended() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

var errSlowDisk = errors.New("the disk takes too long")

// Write hands a part to who writes it, if it still does: who does not has said why.
func (f *flightFile) Write(b []byte) (int, error) {
	select {
	case f.parts <- slices.Clone(b):
	case <-f.done:
	default:
		return 0, errSlowDisk
	}
	return len(b), nil
}

// write makes the file, of what was before and all that comes, and tells of it once
// something is on disk.
func (f *Flight) write(from *flightFile, host string, before io.Reader) error {
	if err := f.makeRoom(); err != nil {
		return err
	}
	begin, err := io.ReadAll(before)
	if err != nil {
		return err
	}
	out, path, err := newFile(f.dir, host, flightEnding, recording.CreateNew)
	if err != nil {
		return err
	}
	// In one Write: what a failed one leaves is taken back.
	if _, err = out.Write(begin); err == nil {
		from.kept = true
		f.tell(func(s *FlightStatus) {
			s.Files, s.Last = s.Files+1, path
			if !from.cut {
				s.Err = nil
			}
		})
		for part := range from.parts {
			if _, err = out.Write(part); err != nil {
				break
			}
		}
	}
	if err = errors.Join(err, out.Close()); errors.Is(err, recording.ErrRemoved) {
		from.kept = false
		f.forget(path)
	}
	return err
}

// makeRoom removes the oldest files of a Flight until there is room for one.
func (f *Flight) makeRoom() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	var files []os.FileInfo
	total := int64(0)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), filePrefix) || !strings.HasSuffix(e.Name(), flightEnding) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files, total = append(files, info), total+info.Size()
		}
	}
	slices.SortFunc(files, func(a, b os.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for len(files) > 0 && (len(files) >= f.files || total+flightMemory > f.bytes) {
		if err := os.Remove(filepath.Join(f.dir, files[0].Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make room for a recording: %w", err)
		}
		total -= files[0].Size()
		files = files[1:]
	}
	return nil
}
