package trace

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// tracefsPath is where the kernel offers a place to mount tracefs on.
const tracefsPath = "/sys/kernel/tracing"

// directory is an open directory. What stands below it stays in reach whatever
// is mounted or unmounted, and from every thread.
type directory int

// openTracefs opens the root of tracefs, mounted or not. There is only one,
// however many times it is mounted.
func openTracefs() (directory, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(tracefsPath, &fs); err != nil {
		return -1, fmt.Errorf("find tracefs: %w", err)
	}
	if fs.Type == unix.TRACEFS_MAGIC {
		return openDirectory(unix.AT_FDCWD, tracefsPath)
	}
	root := directory(-1)
	err := onOwnThread(func() (err error) {
		root, err = mountTracefs()
		return err
	})
	return root, err
}

// mountTracefs leaves the thread in a mount namespace of its own. That ends
// with the thread, but for what is open in it.
func mountTracefs() (directory, error) {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return -1, fmt.Errorf("make a private mount namespace: %w", err)
	}
	// Without this, what we mount would appear on the host.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return -1, fmt.Errorf("make mounts private: %w", err)
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("tracefs", tracefsPath, "tracefs", flags, ""); err != nil {
		return -1, fmt.Errorf("mount tracefs for us alone: %w", err)
	}
	return openDirectory(unix.AT_FDCWD, tracefsPath)
}

// onOwnThread runs f on a thread that ends with it.
func onOwnThread(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			// The main thread never ends, and what f does to it is done to the
			// process. While it is locked here, another one is found.
			err := onOwnThread(f)
			runtime.UnlockOSThread()
			result <- err
			return
		}
		result <- f()
	}()
	return <-result
}

func openDirectory(at int, path string) (directory, error) {
	fd, err := unix.Openat(at, path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", path, err)
	}
	return directory(fd), nil
}

func (d directory) close() error { return unix.Close(int(d)) }

// list gives the names in a directory.
func (d directory) list(path string) ([]string, error) {
	fd, err := openDirectory(int(d), path)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	return f.Readdirnames(-1)
}

// read reads a whole file.
func (d directory) read(path string) (string, error) {
	fd, err := unix.Openat(int(d), path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	defer unix.Close(fd)
	var text strings.Builder
	buf := make([]byte, 16<<10)
	for {
		n, err := unix.Read(fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("read %s: %w", path, err)
		}
		if n == 0 {
			return text.String(), nil
		}
		text.Write(buf[:n])
	}
}

// write writes a setting.
func (d directory) write(path, value string) error {
	fd, err := unix.Openat(int(d), path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
		_, err = unix.Write(fd, []byte(value))
	}
	if err != nil {
		return fmt.Errorf("write %q to %s: %w", value, path, err)
	}
	return nil
}

// explain says in one line why there will be no tracing, and what to do.
func explain(err error) error {
	refused := errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)
	switch {
	case refused && os.Geteuid() != 0:
		return fmt.Errorf("tracing needs root: run ephtop with sudo, or without --trace (%w)", err)
	case refused:
		return fmt.Errorf("tracing is refused even to root, by kernel lockdown or a container without CAP_SYS_ADMIN: "+
			"run ephtop on the host itself, or without --trace (%w)", err)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV):
		return fmt.Errorf("this kernel can't trace connections, which takes Linux 4.16 with tracefs and its tracepoints: "+
			"run ephtop without --trace (%w)", err)
	}
	return fmt.Errorf("cannot trace: %w", err)
}
