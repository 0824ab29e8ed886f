package netns

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"ephtop/source/guard"
)

// maxFile is how much of an engine's file is read, in bytes.
const maxFile = 16 << 20

// scribe looks up names in the files of engines. They may be on a file server, or
// where a user mounts his own file system: where they do not answer, there is no
// name.
type scribe struct {
	engines
	aside guard.Aside
}

// name gives what that of engines does, and whether it may be another once the
// files answer.
func (s *scribe) name(id Identity) (name string, late bool) {
	files, found := s.engines, ""
	if s.aside.Do("the files of container engines", func() { found = files.name(&id) }) != nil {
		return "", true
	}
	return found, false
}

// engines reads what container engines and Kubernetes leave in files about the
// names of containers and pods, below a root that is "" but in tests.
type engines struct{ root string }

// name gives the name of a container, or of a pod with its namespace, as
// "shop/api-7d9f"; "" where nothing was written down that may be read.
func (e engines) name(id *Identity) string {
	switch {
	case id.Name != "":
		return id.Name
	case id.Pod != "":
		return e.pod(id.Pod)
	case id.ID == "":
		return ""
	}
	base := []string{e.root + "/var/lib", e.root + "/run"}
	if id.User != "" {
		base = []string{filepath.Join(e.home(id.User), ".local/share"), filepath.Join(e.root, "/run/user", id.User)}
	}
	if id.engine == docker || id.engine == anyEngine {
		if name := dockerName(readFile(filepath.Join(base[0], "docker/containers", id.ID, "config.v2.json")), id.ID); name != "" {
			return name
		}
	}
	if id.engine == podman || id.engine == anyEngine {
		for _, dir := range base {
			if name := e.podman(dir, id.ID); name != "" {
				return name
			}
		}
	}
	return e.logged(id.ID)
}

// podman looks for a container below a directory of podman's: the storage
// driver is in the name of the file's directory.
func (e engines) podman(dir, id string) string {
	for _, kind := range [...]string{"containers.json", "volatile-containers.json"} {
		files, _ := filepath.Glob(filepath.Join(globEscape(dir), "containers/*-containers", kind)) // the pattern is well formed
		if inStorage, _ := filepath.Glob(filepath.Join(globEscape(dir), "containers/storage/*-containers", kind)); len(inStorage) > 0 {
			files = append(files, inStorage...)
		}
		for _, file := range files {
			if name := podmanName(readFile(file), id); name != "" {
				return name
			}
		}
	}
	return ""
}

// globEscape takes the meaning from the characters of a pattern.
func globEscape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// pod looks for the directory of a pod's logs, <namespace>_<name>_<uid>.
func (e engines) pod(uid string) string {
	return e.search("/var/log/pods", func(entry string) string {
		space, rest, _ := strings.Cut(entry, "_")
		name, of, _ := strings.Cut(rest, "_")
		if of != uid || space == "" || name == "" {
			return ""
		}
		return space + "/" + name
	})
}

// logged looks for the log of a pod's container,
// <pod>_<namespace>_<container>-<id>.log.
func (e engines) logged(id string) string {
	return e.search("/var/log/containers", func(entry string) string {
		entry, ok := strings.CutSuffix(entry, "-"+id+".log")
		name, rest, _ := strings.Cut(entry, "_")
		space, _, inside := strings.Cut(rest, "_")
		if !ok || !inside || space == "" || name == "" {
			return ""
		}
		return space + "/" + name
	})
}

// search gives what match makes of the entries of a directory, the first that
// is not empty.
func (e engines) search(dir string, match func(entry string) string) string {
	f, err := os.Open(e.root + dir)
	if err != nil {
		return ""
	}
	defer f.Close()
	for {
		entries, err := f.Readdirnames(256)
		for _, entry := range entries {
			if name := match(entry); name != "" {
				return name
			}
		}
		if err != nil {
			return ""
		}
	}
}

// home gives the home directory of a user by /etc/passwd.
func (e engines) home(uid string) string {
	f, err := os.Open(e.root + "/etc/passwd")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if field := strings.Split(lines.Text(), ":"); len(field) == 7 && field[2] == uid && filepath.IsAbs(field[5]) {
			return e.root + field[5]
		}
	}
	return ""
}

// dockerName reads the name of a container from docker's config.v2.json.
func dockerName(file []byte, id string) string {
	var c struct{ ID, Name string }
	if json.Unmarshal(file, &c) != nil || c.ID != "" && c.ID != id {
		return ""
	}
	return strings.TrimPrefix(c.Name, "/")
}

// podmanName reads the name of a container from the containers.json of
// podman's storage.
func podmanName(file []byte, id string) string {
	var list []struct {
		ID    string
		Names []string
	}
	if json.Unmarshal(file, &list) != nil {
		return ""
	}
	for _, c := range list {
		if c.ID == id && len(c.Names) > 0 {
			return c.Names[0]
		}
	}
	return ""
}

// readFile reads a file, nothing where that can't be. A user may have put a pipe
// where his engine's file was: that is not waited for.
func readFile(path string) []byte {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil
	}
	return b
}

// short is what engines show of an id.
func short(id string) string { return id[:min(len(id), 12)] }
