package fleet

import (
	"strings"
	"testing"
)

// What OpenSSH and shells say is told in a few words.
func TestExitTrouble(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status     int
		said, want string
	}{
		{255, "ssh: connect to host 127.0.0.1 port 1: Connection refused\r\n", "unreachable: connection refused"},
		{255, "ssh: Could not resolve hostname dead.invalid: Name or service not known\r\n", "unreachable: name or service not known"},
		{255, "ssh: connect to host 10.255.0.1 port 22: No route to host\r\n", "unreachable: no route to host"},
		{255, "Connection timed out during banner exchange\r\nConnection to 127.0.0.1 port 2222 timed out\r\n", "unreachable: connection to 127.0.0.1 port 2222 timed out"},
		{255, "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by 127.0.0.1 port 22\r\n", "unreachable: connection closed by 127.0.0.1 port 22"},
		{255, "nobody@127.0.0.1: Permission denied (publickey,password).\r\n", "denied: by publickey, password"},
		{255, "Received disconnect from ::1 port 22:2: Too many authentication failures\r\n", "denied"},
		{255, "Host key verification failed.\r\n", "host key not trusted: connect by hand once, and look at it"},
		{255, "@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n@@@@\r\nHost key verification failed.\r\n", "host key not trusted: it is another one than before"},
		{255, "", "unreachable"},
		{127, "bash: line 1: ephtop: command not found\n", "no ephtop: not found there; --remote-command says where it is"},
		{126, "sh: 1: /opt/ephtop: Permission denied\n", "no ephtop: permission denied"},
		{2, "ephtop: unknown command \"watch\": use demo or record\n", "ephtop too old: it has no watch"},
		{1, "ephtop: read the sockets: permission denied\n", "failed: read the sockets: permission denied"},
		{3, "", "failed: exit status 3"}, {-1, "", "failed: ssh was killed"},
		{1, strings.Repeat("x", 9000), "failed: " + strings.Repeat("x", longest)},
	} {
		if got := exitTrouble(test.status, test.said).String(); got != test.want {
			t.Errorf("status %d with %.60q is %q, want %q", test.status, test.said, got, test.want)
		}
	}
}

// Of what is said without an end, the first and the last are kept; and who says it is
// held up.
func TestTongue(t *testing.T) {
	t.Parallel()
	pauses := 0
	w := tongue{pause: func() { pauses++ }}
	for range 1000 {
		if n, err := w.Write([]byte(strings.Repeat("a line\n", 100))); n != 700 || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	if n, err := w.Write([]byte("the end\n")); n != 8 || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	if got := w.text(); len(got) != 2*mostWords || !strings.HasPrefix(got, "a line\n") || lastLine(got) != "the end" {
		t.Errorf("%d bytes, at the end %q", len(got), lastLine(got))
	}
	if least := 700_000/mostAtOnce - 1; pauses < least || pauses > 2*least {
		t.Errorf("held up %d times, want about %d", pauses, least)
	}
	if cap(w.first)+cap(w.last) > 8*mostWords {
		t.Errorf("it takes %d bytes", cap(w.first)+cap(w.last))
	}
}
