package trace

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"ephtop/source/guard"
	"ephtop/source/procfs"
)

// TracepointID returns the number that perf_event_open(2) knows a tracepoint by,
// such as syscalls/sys_exit_bind.
func TracepointID(name string) (uint64, error) {
	root, err := openTracefs()
	if err != nil {
		return 0, err
	}
	defer root.Close()
	text, err := root.ReadFile("events/" + name + "/id")
	if err != nil {
		return 0, fmt.Errorf("look up a tracepoint: %w", err)
	}
	id, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("look up tracepoint %s: %w", name, err)
	}
	return id, nil
}

// tracefsPath is where the kernel offers a place to mount tracefs on.
const tracefsPath = "/sys/kernel/tracing"

// openTracefs opens the root of tracefs, mounted or not. There is only one,
// however many times it is mounted, and what stands below the open root stays in
// reach whatever is mounted or unmounted, and from every thread.
func openTracefs() (*os.Root, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(tracefsPath, &fs); err != nil {
		return nil, fmt.Errorf("find tracefs: %w", err)
	}
	if fs.Type == unix.TRACEFS_MAGIC {
		return os.OpenRoot(tracefsPath)
	}
	var root *os.Root
	err := onOwnThread(func() (err error) {
		root, err = mountTracefs()
		return err
	})
	return root, err
}

// mountTracefs leaves the thread in a mount namespace of its own. That ends
// with the thread, but for what is open in it.
func mountTracefs() (*os.Root, error) {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return nil, fmt.Errorf("make a private mount namespace: %w", err)
	}
	// Without this, what we mount would appear on the host.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("make mounts private: %w", err)
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("tracefs", tracefsPath, "tracefs", flags, ""); err != nil {
		return nil, fmt.Errorf("mount tracefs for us alone: %w", err)
	}
	return os.OpenRoot(tracefsPath)
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
		result <- guard.Do(f)
	}()
	return <-result
}

// write writes a setting.
func write(dir *os.Root, path, value string) error {
	f, err := dir.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		defer f.Close()
		_, err = f.WriteString(value)
	}
	if err != nil {
		return fmt.Errorf("set %q: %w", value, err)
	}
	return nil
}

// Check says why Open would fail, in one line, as far as that can be known
// without a change of anything; nil where it may succeed.
func Check() error {
	if err := checkPIDs(); err != nil {
		return err
	}
	var fs unix.Statfs_t
	err := unix.Statfs(tracefsPath, &fs)
	switch {
	case err == nil && fs.Type == unix.TRACEFS_MAGIC:
		err = unix.Access(tracefsPath+"/instances", unix.W_OK|unix.X_OK)
	case err == nil && !procfs.HasCapability(unix.CAP_SYS_ADMIN):
		err = unix.EPERM
	}
	if err != nil {
		return explain(fmt.Errorf("use tracefs: %w", err))
	}
	return nil
}

// explain says in one line why there will be no tracing, and what to do.
func explain(err error) error {
	refused := errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)
	switch {
	case refused && os.Geteuid() != 0:
		return fmt.Errorf("it takes root: run ephtop with sudo (%w)", err)
	case refused:
		return fmt.Errorf("it is refused even to root, by kernel lockdown or a container without CAP_SYS_ADMIN: "+
			"run ephtop on the host itself (%w)", err)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV):
		return fmt.Errorf("it takes Linux 4.16 with tracefs and its tracepoints, which this kernel has not (%w)", err)
	}
	return err
}
