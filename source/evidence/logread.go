package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"ephtop/source"
	"ephtop/source/evidence/host"
)

// maxJournalLines bounds the newest lines that are asked of the journal where
// it can't search by itself.
const maxJournalLines = "20000"

// journal asks journalctl, newest lines first, so that what a limit cuts off
// is the oldest.
func (h *gatherer) journal(ctx context.Context, since time.Time, found func(logLine)) source.Status {
	if h.Root != "/" {
		return notThere("the journal can only be asked of this host")
	}
	args := []string{
		"--no-pager", "-o", "short-unix", "-r", fmt.Sprintf("--since=@%d", since.Unix()), "-n", maxJournalLines,
	}
	out, err := h.Run(ctx, maxLogBytes, "journalctl", append(args, "--case-sensitive=no", "--grep="+journalPattern())...)
	searched := true
	if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, host.ErrNoCommand) && !noJournal(out.Stderr) {
		searched = false // built without --grep, or older than it
		out, err = h.Run(ctx, maxLogBytes, "journalctl", args...)
	}
	if errors.Is(err, host.ErrNoCommand) {
		return notThere("there is no journalctl")
	}
	lines := 0
	for line := range strings.Lines(string(out.Stdout)) {
		if l, ok := parseShortUnix(strings.TrimRight(line, "\n")); ok {
			lines++
			found(l)
		}
	}
	return journalStatus(out, err, lines, searched)
}

// journalPattern finds every phrase. The characters in phrases are plain to a
// regular expression.
func journalPattern() string {
	var all []string
	for _, spellings := range phrases {
		all = append(all, spellings...)
	}
	return strings.Join(all, "|")
}

func noJournal(stderr string) bool { return strings.Contains(stderr, "No journal files were found") }

// journalStatus says what the answer of journalctl leaves out.
func journalStatus(out host.Output, err error, lines int, searched bool) source.Status {
	lower := strings.ToLower(out.Stderr)
	switch {
	case noJournal(out.Stderr):
		return notThere("there are no journal files")
	case strings.Contains(lower, "insufficient permissions"):
		return notReadable("permission denied; run as root or join the group systemd-journal")
	case err != nil && errors.Is(err, context.DeadlineExceeded) && lines == 0:
		return read("not to its end in time")
	case err != nil && errors.Is(err, context.DeadlineExceeded):
		return read("only the newest lines, as far as they could be read in time")
	case err != nil:
		return notReadable("%v", err)
	case strings.Contains(lower, "not seeing messages"):
		return read("only messages of this user; run as root to see those of the system")
	case out.Cut, fmt.Sprint(lines) == maxJournalLines:
		if searched {
			return read("only the newest matches")
		}
		return read(fmt.Sprintf("only the newest %d lines", lines))
	}
	return read("")
}

// logFile reads the end of a log file.
func (h *gatherer) logFile(ctx context.Context, name string, found func(logLine)) source.Status {
	// To open a pipe would wait for its writer.
	info, err := os.Stat(h.Path(name))
	switch {
	case err != nil && errors.Is(err, fs.ErrNotExist):
		return notThere("there is no such file")
	case err != nil:
		return notReadable("%s", host.Reason(err))
	case !info.Mode().IsRegular():
		return notReadable("not a file")
	}
	f, err := os.Open(h.Path(name))
	if err != nil {
		return notReadable("%s", host.Reason(err))
	}
	defer f.Close()
	data, cut, err := tail(f, maxLogBytes)
	if err != nil {
		return notReadable("%s", host.Reason(err))
	}
	for line := range bytes.Lines(data) {
		if ctx.Err() != nil {
			return read("not to its end in time")
		}
		found(parseSyslogLine(string(bytes.TrimRight(line, "\r\n")), h.opt.Now))
	}
	if cut {
		return read(fmt.Sprintf("only the last %d MiB", maxLogBytes>>20))
	}
	return read("")
}

// tail reads the last bytes of a file, from the beginning of a line.
func tail(f *os.File, limit int64) (data []byte, cut bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	from := max(0, info.Size()-limit)
	data, err = io.ReadAll(io.NewSectionReader(f, from, limit))
	if from > 0 {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	return data, from > 0, err
}
