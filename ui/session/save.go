package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const filePrefix = "ephtop-"

// newFile makes a file in dir by create, named after host and time with an
// ending. Who can guess the name may have put something there: create must not
// open what exists, and the next name is tried.
func newFile[F any](dir, host, ending string, create func(path string) (F, error)) (f F, path string, err error) {
	name := filepath.Join(dir, filePrefix+fileName(host)+time.Now().Format("-20060102-150405"))
	path = name + ending
	f, err = create(path)
	for n := 2; errors.Is(err, fs.ErrExist) && n < 10; n++ {
		path = fmt.Sprintf("%s-%d%s", name, n, ending)
		f, err = create(path)
	}
	if errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%s is there already", path)
	}
	return f, path, err
}

// SaveIn writes a file in dir that only its owner can read, named after host and
// time with an ending, whole or not at all. It gives the absolute path.
func SaveIn(dir, host, ending string, data []byte) (path string, err error) {
	f, path, err := newFile(dir, host, ending, func(path string) (*os.File, error) {
		return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	})
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(path))
	}
	return filepath.Abs(path)
}
