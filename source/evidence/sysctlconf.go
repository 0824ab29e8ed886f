package evidence

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"ephtop/source"
	"ephtop/source/evidence/host"
)

// sysctlDirs hold files of settings; of two with one name, that of the first
// directory counts (sysctl.d(5)).
var sysctlDirs = [...]string{
	"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d",
}

// sysctlConf is the file that sysctl(8) --system applies last. systemd reads it
// only where a link in /etc/sysctl.d leads to it, at the place of that link.
const sysctlConf = "/etc/sysctl.conf"

// sysctlConfig is what all files say together.
type sysctlConfig struct {
	files   []source.SysctlFile
	entries []sysctlEntry
}

// sysctlEntry is a line that sets something.
type sysctlEntry struct {
	file  string
	line  int
	key   string // as a path under /proc/sys
	value string
	// pattern says that key has wildcards; exclude that it is only kept from
	// being set by patterns.
	pattern, exclude bool
}

// sysctlConfig reads the files in the order in which they apply.
func (h *gatherer) sysctlConfig() sysctlConfig {
	var c sysctlConfig
	byName := make(map[string]string)
	for _, dir := range sysctlDirs {
		entries, err := os.ReadDir(h.Path(dir))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.files = append(c.files, source.SysctlFile{Path: dir, Problem: host.Reason(err)})
		}
		for _, e := range entries {
			name := e.Name()
			if _, taken := byName[name]; strings.HasSuffix(name, ".conf") && !taken {
				byName[name] = dir + "/" + name
			}
		}
	}
	linked := false
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		linked = linked || h.sameFile(byName[name], sysctlConf)
		h.sysctlFile(byName[name], &c)
	}
	if !linked {
		h.sysctlFile(sysctlConf, &c)
	}
	return c
}

func (h *gatherer) sameFile(a, b string) bool {
	first, err1 := os.Stat(h.Path(a))
	second, err2 := os.Stat(h.Path(b))
	return err1 == nil && err2 == nil && os.SameFile(first, second)
}

// sysctlFile adds a file; one that is not there is left out.
func (h *gatherer) sysctlFile(name string, c *sysctlConfig) {
	info, err := os.Stat(h.Path(name))
	if err != nil && errors.Is(err, fs.ErrNotExist) {
		return
	}
	f := source.SysctlFile{Path: name}
	var data []byte
	if err == nil {
		if !info.Mode().IsRegular() { // a link to /dev/null hides files of this name
			if link, err := os.Lstat(h.Path(name)); err == nil {
				info = link
			}
		}
		f.Modified = info.ModTime()
		age := h.opt.Now.Sub(f.Modified)
		f.Recent = age < recent && age > -recent
		data, err = h.Read(name)
	}
	if err != nil {
		f.Problem = host.Reason(err)
	}
	entries, problem := parseSysctlConf(data)
	f.Problem = cmp.Or(f.Problem, problem)
	for i := range entries {
		entries[i].file = name
	}
	c.entries = append(c.entries, entries...)
	for _, known := range sysctlsOfInterest {
		if slices.ContainsFunc(entries, func(e sysctlEntry) bool { return e.sets(known.name) }) {
			f.Names = append(f.Names, known.name)
		}
	}
	c.files = append(c.files, f)
}

// parseSysctlConf reads a file of settings (sysctl.d(5), sysctl.conf(5)). The
// problem is the first line that makes no sense; the others count all the same.
func parseSysctlConf(data []byte) (entries []sysctlEntry, problem string) {
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		key, value, assigns := strings.Cut(line, "=")
		key, dash := strings.CutPrefix(strings.TrimSpace(key), "-")
		key = sysctlKey(strings.TrimSpace(key))
		if key == "" || !assigns && !dash {
			problem = cmp.Or(problem, "no assignment: "+host.Clean(line, 80))
			continue
		}
		entries = append(entries, sysctlEntry{
			line: number, key: key, value: host.Clean(value, len(value)+2),
			pattern: strings.ContainsAny(key, "*?["), exclude: !assigns,
		})
	}
	return entries, problem
}

// sysctlKey makes a path of a name. Its first separator says whether dots or
// slashes separate; the other of the two is then part of a name.
func sysctlKey(name string) string {
	if i := strings.IndexAny(name, "./"); i >= 0 && name[i] == '.' {
		name = strings.NewReplacer(".", "/", "/", ".").Replace(name)
	}
	return strings.Trim(name, "/")
}

// sets tells whether the entry alone would set a setting.
func (e sysctlEntry) sets(name string) bool {
	if e.exclude {
		return false
	}
	key := strings.ReplaceAll(name, ".", "/")
	if !e.pattern {
		return e.key == key
	}
	fits, err := path.Match(e.key, key)
	return err == nil && fits
}

// assignments are the entries that set a setting, the last of which counts. A
// pattern is left out where the setting is named or excluded by itself.
func (c sysctlConfig) assignments(name string) []source.SysctlAssignment {
	key := strings.ReplaceAll(name, ".", "/")
	var named, matched []source.SysctlAssignment
	itself := false
	for _, e := range c.entries {
		a := source.SysctlAssignment{File: e.file, Line: e.line, Value: e.value}
		switch {
		case e.key == key && e.exclude:
			named, itself = nil, true
		case e.key == key:
			named, itself = append(named, a), true
		case e.pattern && e.sets(name):
			matched = append(matched, a)
		}
	}
	if itself {
		return named
	}
	return matched
}
