package serve

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"ephtop/ui/metrics"
)

// Textfile writes what is gathered to a file each time that it is told to, until
// ctx ends, and says what came of it. Who reads has the whole of one page or of
// the one before.
func Textfile(ctx context.Context, file string, from prometheus.Gatherer, now <-chan struct{}, wrote func(error)) {
	for {
		select {
		case <-now:
			wrote(writeFile(file, from))
		case <-ctx.Done():
			return
		}
	}
}

func writeFile(file string, from prometheus.Gatherer) error {
	var page bytes.Buffer
	err := metrics.Write(&page, from)
	if err == nil {
		err = replaceFile(file, page.Bytes())
	}
	var path *fs.PathError
	var link *os.LinkError
	switch { // which name a file of which nobody knows
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}

// CheckTextfile says why a file can't be one of a page: what is there already, and
// no regular file, is not replaced.
func CheckTextfile(file string) error {
	if info, err := os.Lstat(file); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %w", file, errNoFile)
	}
	return nil
}

var errNoFile = errors.New("what is there is no regular file")

// replaceFile puts a file in the place of another. Others may read it.
func replaceFile(file string, text []byte) (err error) {
	if CheckTextfile(file) != nil {
		return errNoFile
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(text); err == nil {
		err = f.Chmod(0o644)
	}
	if err = cmp.Or(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
