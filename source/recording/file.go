package recording

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// File is a file that a recording is written to. It ends with a whole Write:
// what a failed one left is taken back. Where somebody has removed it, Write and
// Close say so with [ErrRemoved].
type File struct {
	f    *os.File
	path string
	// temporary is the file's name until the first Write replaces path; "" once
	// the name is path.
	temporary string
	// whole says that Close gives the name, and not the first Write; force that
	// it may replace a file then.
	whole, force bool
	regular      bool
	size         int64
}

// ErrRemoved says that a file has no name any more: what is written to it is lost.
var ErrRemoved = errors.New("the file has been removed")

// Create makes a file that only its owner can read (mode 0600). A file that
// exists gives an error that wraps fs.ErrExist, unless force is set. Then it is
// replaced when the first Write has reached the disk, and not before: until
// then the recording has another name in the same directory. What is no
// regular file, as a pipe, is written to as it is.
func Create(path string, force bool) (*File, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%s is a directory", path)
	case err == nil && !info.Mode().IsRegular():
		return openSpecial(path)
	case err == nil && force:
		return replace(path)
	}
	f, err := CreateNew(path)
	if errors.Is(err, fs.ErrExist) && force {
		return nil, cmp.Or(dangling(path), err)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s is there already (--force replaces it): %w", path, fs.ErrExist)
	}
	return f, err
}

// CreateNew is [Create] for a name that nobody gave: whatever has it already, a
// link or a pipe too, gives an error that wraps fs.ErrExist and is not opened.
// Somebody may have put it there to be given what is written.
func CreateNew(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &File{f: f, path: path, regular: true}, nil
}

// CreateWhole is [Create] for a file that is there whole or not at all: it gets
// its name when it is closed, and Discard leaves nothing of it.
func CreateWhole(path string, force bool) (*File, error) {
	info, err := os.Stat(path)
	if err == nil && (!force || !info.Mode().IsRegular()) {
		return Create(path, force)
	}
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = dangling(path)
	}
	if err != nil {
		return nil, err
	}
	f, err := beside(path)
	if err != nil {
		if wrong := (*fs.PathError)(nil); errors.As(err, &wrong) {
			wrong.Path = path
		}
		return nil, err
	}
	f.whole, f.force = true, force
	return f, nil
}

// dangling is what is wrong with the name of a file that is not there, but for a
// link: where that leads to is nobody's choice any more.
func dangling(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is a link to what is not there", path)
	}
	return nil
}

// openSpecial opens what is no regular file.
func openSpecial(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || info.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("%s has changed while it was opened", path)
	}
	return &File{f: f, path: path}, nil
}

// replace makes a file beside the one that is at path.
func replace(path string) (*File, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	return beside(path)
}

// beside makes a file with another name in the directory of path.
func beside(path string) (*File, error) {
	// CreateTemp gives mode 0600.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	return &File{f: f, path: path, temporary: f.Name(), regular: true}, nil
}

// Write appends p, whole or not at all as far as the file system allows. The
// first one gives a file that replaces another its name.
func (f *File) Write(p []byte) (int, error) {
	if err := f.missing(); err != nil {
		return 0, err
	}
	n, err := f.f.Write(p)
	if err != nil {
		if f.regular && n > 0 {
			err = errors.Join(err, f.f.Truncate(f.size))
		}
		return 0, err
	}
	f.size += int64(n)
	if f.temporary != "" && !f.whole {
		if err := f.rename(); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// missing is ErrRemoved once, where that is so.
func (f *File) missing() error {
	if !f.regular || !removed(f.f) {
		return nil
	}
	f.regular, f.whole = false, false // nothing is left to take back, or to name
	return fmt.Errorf("%s: %w", f.path, ErrRemoved)
}

// rename gives the file its name, and keeps its descriptor: whoever may write to
// the directory could have put a symbolic link there meanwhile.
func (f *File) rename() error {
	err := f.f.Sync()
	// Windows does not rename a file that is open.
	reopen := runtime.GOOS == "windows"
	if reopen {
		err = errors.Join(err, f.f.Close())
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.temporary, f.path); err != nil {
		f.regular = false // nothing is left to take back
		return errors.Join(err, os.Remove(f.temporary))
	}
	f.temporary = ""
	if reopen {
		f.f, err = os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND, 0)
	}
	return err
}

// Close closes the file. One that nothing was written to goes away.
func (f *File) Close() error {
	if f.f == nil {
		return nil
	}
	named := f.missing()
	if f.whole && f.temporary != "" && f.size > 0 {
		if named = f.name(); named != nil {
			f.size = 0 // and so it goes away
		}
	}
	err := f.f.Close()
	if errors.Is(err, fs.ErrClosed) {
		err = nil
	}
	if f.regular && f.size == 0 {
		err = errors.Join(err, f.remove())
	}
	return errors.Join(named, err)
}

// name gives a whole file its name. What has come there meanwhile stays.
func (f *File) name() error {
	if _, err := os.Lstat(f.path); err == nil && !f.force {
		return fmt.Errorf("%s is there already (--force replaces it): %w", f.path, fs.ErrExist)
	}
	return f.rename()
}

// Discard closes the file and takes it away, but for what is no regular one.
func (f *File) Discard() error {
	f.size = 0
	f.whole = false
	return f.Close()
}

// remove takes the file away by the name that it has.
func (f *File) remove() error { return os.Remove(cmp.Or(f.temporary, f.path)) }
