package procfs

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

// fifo makes a pipe, whose opening waits until somebody opens the other end: a
// file that does not answer.
func fifo(t *testing.T, path string) {
	t.Helper()
	if err := unix.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // let go who still waits
		if fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK, 0); err == nil {
			unix.Close(fd)
		}
	})
}

// What is on a file server that does not answer, and the command line of a process
// that is stuck, are missing and named; the rest is there.
func TestFilesThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{
		"7/stat":   "7 (stuck) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 5 0 0\n",
		"7/status": "Tgid:\t7\nUid:\t1000\t1000\t1000\t1000\nNSpid:\t7\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	passwd, command := filepath.Join(root, "passwd"), filepath.Join(root, "7/cmdline")
	fifo(t, passwd)
	fifo(t, command)
	r := Reader{Root: root, Users: Users{Path: passwd}}
	r.commands.Patience, r.Users.aside.Patience = time.Millisecond, time.Millisecond

	dir, s, err := r.Open(7)
	if err != nil || string(s.Comm) != "stuck" {
		t.Fatalf("%+v, %v", s, err)
	}
	defer unix.Close(dir)
	for range 3 {
		var p source.Process
		if !r.Describe(dir, 7, &p) || p.UID != 1000 || p.User != "1000" || p.Command != "" {
			t.Errorf("the process is %+v, want user 1000 without a name, and no command", p)
		}
	}
	if got := r.Late(); got != "/proc/7/cmdline" {
		t.Errorf("%q does not answer, want the command line", got)
	}
	if got := r.Users.late(); got != passwd {
		t.Errorf("%q does not answer, want %q", got, passwd)
	}
}

// One that has been slow is read when it answers.
func TestAFileAnswersInTheEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "passwd")
	fifo(t, path)
	users := Users{Path: path}
	users.aside.Patience = time.Millisecond
	if got := users.Name(1000); got != "1000" {
		t.Errorf("the user is %q", got)
	}
	if err := os.WriteFile(path+".new", []byte("ada:x:1000:1000:::\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0) // the server is back
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	for users.late() != "" {
		time.Sleep(time.Millisecond)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	users.aside.Patience = time.Minute
	if got := users.Name(1000); got != "ada" {
		t.Errorf("the user is %q, want ada", got)
	}
}
