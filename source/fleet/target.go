package fleet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Target is a host as ssh is told of it.
type Target struct {
	Host string // may begin with a user, as in root@web-01
	Port int    // 0 for ssh's own
}

// String is the target as it is written: host, or host:port.
func (t Target) String() string {
	user, host, found := cutLast(t.Host, "@")
	if found {
		user += "@"
	}
	switch {
	case t.Port == 0:
		return t.Host
	case strings.Contains(host, ":"):
		host = "[" + host + "]"
	}
	return user + host + ":" + strconv.Itoa(t.Port)
}

// args are the words for ssh that name the target. None is taken for an option.
func (t Target) args() []string {
	if t.Port == 0 {
		return []string{"--", t.Host}
	}
	return []string{"-p", strconv.Itoa(t.Port), "--", t.Host}
}

const longestTarget = 255

// ParseTarget reads a host as ssh takes it: host, user@host, either with :port,
// ssh://user@host:port. An IPv6 address with a port stands in brackets. Nothing is
// taken that ssh, or a shell on its way, could understand as more than a name.
func ParseTarget(s string) (Target, error) {
	switch {
	case s == "":
		return Target{}, errors.New("no host")
	case len(s) > longestTarget:
		return Target{}, fmt.Errorf("bad host %q: a name has at most %d bytes", clip(s), longestTarget)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, odd):
		return Target{}, fmt.Errorf("bad host %q: a name has no blanks, quotes or other marks of a shell", s)
	}
	user, host, found := cutLast(strings.TrimSuffix(strings.TrimPrefix(s, "ssh://"), "/"), "@")
	if found && user == "" || strings.HasPrefix(user, "-") || strings.HasPrefix(host, "-") {
		return Target{}, fmt.Errorf("bad host %q: neither a host nor a user begins with - or is empty", s)
	}
	host, port, err := splitPort(host)
	if err != nil {
		return Target{}, fmt.Errorf("bad host %q: %w", s, err)
	}
	if host == "" || strings.HasPrefix(host, "-") || strings.ContainsAny(host, "/[]") {
		return Target{}, fmt.Errorf("bad host %q: use host, user@host, host:port or [IPv6]:port", s)
	}
	if found {
		host = user + "@" + host
	}
	return Target{host, port}, nil
}

// odd are characters that no name has, and some shell gives a meaning to.
func odd(r rune) bool {
	return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune("'`\"$\\;&<>|(){}*?!#~", r)
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}

func splitPort(host string) (string, int, error) {
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		return host, 0, nil // its colons begin no port
	}
	name, number, found := cutLast(host, ":")
	if inner, ok := strings.CutPrefix(host, "["); ok {
		name, number, ok = strings.Cut(inner, "]")
		if a, err := netip.ParseAddr(name); !ok || err != nil || !a.Is6() {
			return "", 0, errors.New("no IPv6 address in the brackets")
		}
		if number == "" {
			return name, 0, nil
		}
		number, found = strings.CutPrefix(number, ":")
	} else if !found {
		return host, 0, nil
	}
	port, err := strconv.ParseUint(number, 10, 16)
	switch {
	case !found || err != nil || port == 0:
		return "", 0, errors.New("a port is a number from 1 to 65535")
	case strings.Contains(name, ":") && host[0] != '[':
		return "", 0, errors.New("an IPv6 address with a port stands in brackets")
	}
	return name, int(port), nil
}

// The bounds of a list of hosts.
const (
	mostTargets  = 10_000
	longestHosts = 1 << 20
)

const byteOrderMark = "\ufeff"

// Targets are hosts, each of them once.
type Targets struct {
	List []Target
	// Twice are those that were named again.
	Twice []string
	seen  map[Target]bool
}

// Add adds a host, as [ParseTarget] reads it.
func (t *Targets) Add(s string) error {
	target, err := ParseTarget(s)
	switch {
	case err != nil:
		return err
	case t.seen[target]:
		t.Twice = append(t.Twice, target.String())
		return nil
	case len(t.List) == mostTargets:
		return fmt.Errorf("more than %d hosts: follow so many with --prometheus", mostTargets)
	case t.seen == nil:
		t.seen = make(map[Target]bool)
	}
	t.seen[target] = true
	t.List = append(t.List, target)
	return nil
}

// Read adds the hosts of a file, one a line. Blank lines are skipped, and what
// follows a #; so is the mark of UTF-8 that some editors begin a file with. An error
// says in which line it is.
func (t *Targets) Read(r io.Reader) error {
	bounded := &io.LimitedReader{R: r, N: longestHosts + 1}
	lines := bufio.NewScanner(bounded)
	n := 0
	for lines.Scan() {
		if n++; bounded.N == 0 {
			break // or a name that is cut would be taken for one
		}
		line, _, _ := strings.Cut(lines.Text(), "#")
		if n == 1 {
			line = strings.TrimPrefix(line, byteOrderMark)
		}
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := t.Add(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	switch err := lines.Err(); {
	case bounded.N == 0 && err == nil:
		return fmt.Errorf("a list of hosts has at most %d bytes", longestHosts)
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("line %d: a name has at most %d bytes", n+1, longestTarget)
	case err != nil:
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}
