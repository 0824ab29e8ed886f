package command

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An export does not replace the recording that it is made of, whatever the flags
// and by whatever name.
func TestExportSparesItsRecording(t *testing.T) {
	path := recordSecrets(t, "leak")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.md")
	if err := os.Link(path, link); err != nil {
		t.Skipf("no links here: %v", err)
	}
	for _, out := range []string{path, link} {
		_, said, status := exportOf(t, "md", "--force", path, out)
		after, err := os.ReadFile(path)
		if status != 2 || !strings.HasSuffix(said, " is the recording itself: use another name\n") || err != nil || !bytes.Equal(after, before) {
			t.Errorf("%s: status %d, %d bytes of %d are left, %q", out, status, len(after), len(before), said)
		}
	}
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var stderr bytes.Buffer
	status := Run([]string{"export", "--as", "md", "--force", "-", path}, Env{
		Stdin: in, Stdout: io.Discard, Stderr: &stderr, Getenv: func(string) string { return "" },
	})
	if after, err := os.ReadFile(path); status != 2 || err != nil || !bytes.Equal(after, before) {
		t.Errorf("of standard input: status %d, %d bytes of %d are left, %q", status, len(after), len(before), stderr.String())
	}
}
