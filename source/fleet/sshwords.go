package fleet

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The exit statuses that ssh and shells have a meaning for.
const (
	statusSSH      = 255 // ssh itself failed (ssh(1))
	statusNotFound = 127 // of a shell: no such command
	statusNotRun   = 126 // there is one, and it can't be run
)

// exitTrouble says why an ssh ended, by its status and what was said on standard
// error. Its words are English, whatever the language: OpenSSH has no other.
func exitTrouble(status int, said string) Trouble {
	has := func(words string) bool { return strings.Contains(said, words) }
	last := lastLine(said)
	switch {
	case status == statusSSH && has("IDENTIFICATION HAS CHANGED"):
		return Trouble{UnknownKey, "it is another one than before"}
	case status == statusSSH && has("Host key verification failed"):
		return Trouble{UnknownKey, "connect by hand once, and look at it"}
	case status == statusSSH && (has("Permission denied") || has("Too many authentication failures")):
		return Trouble{Denied, parenthesis(said)}
	case status == statusSSH:
		return Trouble{Unreachable, afterColon(last)}
	case status == statusNotFound:
		return Trouble{NoEphtop, "not found there; --remote-command says where it is"}
	case status == statusNotRun:
		return Trouble{NoEphtop, afterColon(last)}
	case has(`unknown command "watch"`):
		return Trouble{TooOld, "it has no watch"}
	case last != "":
		return Trouble{Failed, clip(strings.TrimPrefix(last, "ephtop: "))}
	case status < 0:
		return Trouble{Failed, "ssh was killed"}
	}
	return Trouble{Failed, fmt.Sprintf("exit status %d", status)}
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return strings.TrimSpace(s[strings.LastIndexByte(s, '\n')+1:])
}

// afterColon is the reason at the end of a message: "connection refused" of
// "ssh: connect to host web-01 port 22: Connection refused".
func afterColon(s string) string {
	s = s[strings.LastIndex(s, ": ")+1:]
	s = strings.TrimSuffix(strings.TrimSpace(s), ".")
	first, n := utf8.DecodeRuneInString(s)
	if _, second, ok := strings.Cut(s, " "); ok && second != "" && first < utf8.RuneSelf {
		s = string(unicode.ToLower(first)) + s[n:]
	}
	return clip(s)
}

// parenthesis is what ssh could have used to prove who we are, as in "Permission
// denied (publickey,password)".
func parenthesis(s string) string {
	_, s, _ = strings.Cut(s, "Permission denied (")
	s, _, ok := strings.Cut(s, ")")
	if !ok {
		return ""
	}
	return clip("by " + strings.ReplaceAll(s, ",", ", "))
}
