package serve

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A config that does not answer or does not end, or that names a file that does
// not, is refused at once: at the start, and when it is read again.
func TestAConfigThatHangs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certificate(t, dir)
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	tls := func(cert, key, more string) string {
		return "tls_server_config:\n  cert_file: " + cert + "\n  key_file: " + key + "\n" + more
	}
	named := filepath.Join(dir, "web.yml")
	for _, test := range []struct{ file, text, want string }{
		{pipe, "", pipe + ": it is no regular file"},
		{"/dev/zero", "", "/dev/zero: it is no regular file"},
		{named, tls("pipe", "host.key", ""), pipe + ": it is no regular file"},
		{named, tls("host.crt", "/dev/zero", ""), "/dev/zero: it is no regular file"},
		{named, tls("host.crt", "host.key", "  client_auth_type: RequestClientCert\n  client_ca_file: pipe\n"), pipe + ": it is no regular file"},
	} {
		if test.text != "" {
			write(t, test.file, test.text)
		}
		want := "web config " + test.file + ": "
		if _, err := New(figure(), test.file, slog.New(slog.DiscardHandler)); err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%s %q: %v, want %q", test.file, test.text, err, test.want)
		}
		write(t, named, tls("host.crt", "host.key", ""))
		c, err := openConfig(named)
		if err != nil {
			t.Fatal(err)
		}
		if test.text != "" {
			write(t, named, test.text)
		}
		c.file = test.file // as if it had become that
		if err := c.reload(); err == nil || !strings.HasSuffix(err.Error(), test.want+": the one before stays in force") {
			t.Errorf("%s %q, read again: %v, want %q", test.file, test.text, err, test.want)
		}
	}
}
