package netns

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Where the files of an engine do not answer, as in the home of a user on a file
// server, a container is called by its id until they do.
func TestNamesOnAServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, person{pid: 9, netns: 200, cgroup: "/user.slice/user@1000.service/docker-" + hexA + ".scope"})
	f.write("home/ann/.local/share/docker/containers/"+hexA+"/config.v2.json", `{"Name":"/web"}`)
	passwd := filepath.Join(f.root, "etc/passwd")
	f.write("etc/group", "")
	if err := unix.Mkfifo(passwd, 0o644); err != nil {
		t.Fatal(err)
	}
	l := f.lister()
	l.engines.aside.Patience = time.Millisecond
	name := func() string {
		t.Helper()
		list, err := l.Update(t.Context())
		if err != nil || len(list) != 1 {
			t.Fatalf("%d namespaces, %v", len(list), err)
		}
		return list[0].Scope.Name
	}
	for range 3 {
		if got := name(); got != "aaaaaaaaaaaa" {
			t.Errorf("without an answer it is %q, want the short id", got)
		}
	}
	if l.Late() == "" {
		t.Error("nothing says what does not answer")
	}
	l.engines.aside.Patience = time.Minute
	server, err := os.OpenFile(passwd, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.WriteString("ann:x:1000:1000::/home/ann:/bin/sh\n"); err != nil {
		t.Fatal(err)
	}
	server.Close()
	for l.Late() != "" {
		time.Sleep(time.Millisecond)
	}
	if err := os.Remove(passwd); err != nil {
		t.Fatal(err)
	}
	f.write("etc/passwd", "ann:x:1000:1000::/home/ann:/bin/sh\n")
	if got := name(); got != "web" {
		t.Errorf("when it answers it is %q, want web", got)
	}
}
