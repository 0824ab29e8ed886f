package cast_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// recorded is an asciicast as a strict reader has it.
type recorded struct {
	header header
	events []event
}

type header struct {
	Version int    `json:"version"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	Title   string `json:"title"`
	Theme   *struct {
		Fore    string `json:"fg"`
		Back    string `json:"bg"`
		Palette string `json:"palette"`
	} `json:"theme"`
}

type event struct {
	at         time.Duration
	kind, data string
}

var (
	colour  = regexp.MustCompile(`^#[0-9a-f]{6}$`)
	colours = regexp.MustCompile(`^#[0-9a-f]{6}(:#[0-9a-f]{6}){7}(?:(:#[0-9a-f]{6}){8})?$`)
	seconds = regexp.MustCompile(`^\[(0|[1-9][0-9]*)(\.[0-9]{1,9})?,`)
)

// read reads an asciicast of version 2, and takes nothing but what its
// description allows and ephtop writes.
func read(cast []byte) (*recorded, error) {
	if !utf8.Valid(cast) {
		return nil, errors.New("it is no UTF-8")
	}
	if !bytes.HasSuffix(cast, []byte("\n")) {
		return nil, errors.New("the last line has no end")
	}
	lines := strings.Split(strings.TrimSuffix(string(cast), "\n"), "\n")
	var r recorded
	if err := r.readHeader(lines[0]); err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	for i, line := range lines[1:] {
		if err := r.readEvent(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
	}
	return &r, nil
}

func (r *recorded) readHeader(line string) error {
	d := json.NewDecoder(strings.NewReader(line))
	d.DisallowUnknownFields()
	h := &r.header
	if err := d.Decode(h); err != nil {
		return err
	}
	switch {
	case d.InputOffset() != int64(len(line)):
		return errors.New("there is more on it")
	case h.Version != 2:
		return fmt.Errorf("version %d", h.Version)
	case h.Width < 1 || h.Width > 1000 || h.Height < 1 || h.Height > 1000:
		return fmt.Errorf("a size of %dx%d", h.Width, h.Height)
	case h.Theme != nil && !(colour.MatchString(h.Theme.Fore) && colour.MatchString(h.Theme.Back) && colours.MatchString(h.Theme.Palette)):
		return fmt.Errorf("theme %+v", *h.Theme)
	}
	return nil
}

func (r *recorded) readEvent(line string) error {
	var fields []json.RawMessage
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		return err
	}
	if len(fields) != 3 || !seconds.MatchString(line) {
		return errors.New("it is not a time and two texts")
	}
	var e event
	var at float64
	if err := errors.Join(json.Unmarshal(fields[0], &at), json.Unmarshal(fields[1], &e.kind), json.Unmarshal(fields[2], &e.data)); err != nil {
		return err
	}
	e.at = time.Duration(at*1e6+0.5) * time.Microsecond
	switch last := len(r.events) - 1; {
	case at > 1e9:
		return errors.New("it is after thirty years")
	case last >= 0 && e.at < r.events[last].at:
		return errors.New("it is before the event before")
	case e.kind != "o" && e.kind != "m":
		return fmt.Errorf("an event of kind %q", e.kind)
	case e.kind == "m" && strings.ContainsFunc(e.data, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("a marker called %q", e.data)
	}
	r.events = append(r.events, e)
	return nil
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	const good = `{"version":2,"width":80,"height":24}` + "\n" + `[0.5,"o","x"]` + "\n"
	if r, err := read([]byte(good)); err != nil || len(r.events) != 1 || r.events[0].at != 500*time.Millisecond {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, change := range [][2]string{
		{`"version":2`, `"version":3`}, {`:80`, `:0`}, {`:24}`, `:24}{}`}, {`:24`, `:24,"env":{}`}, {`:24`, `:24,"theme":{}`},
		{`0.5`, `"0.5"`}, {`0.5`, `5e-1`}, {`0.5`, `-1`}, {`"x"]`, `"x",1]`}, {`"o"`, `"i"`}, {`"o","x"`, `"m","\n"`}, {"x\"]\n", "x\"]"},
		{"x\"]\n", "x\"]\n[0.4,\"o\",\"\"]\n"}, {"x", "\xff"},
	} {
		if r, err := read([]byte(strings.Replace(good, change[0], change[1], 1))); err == nil {
			t.Errorf("%s in place of %s is read as %+v", change[1], change[0], r)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"version":2,"width":80,"height":24,"theme":{"fg":"#000000","bg":"#ffffff","palette":"#000000"}}` + "\n" + `[0.5,"o","x"]` + "\n"))
	f.Add([]byte("{}\n[]\n"))
	f.Fuzz(func(t *testing.T, cast []byte) {
		r, err := read(cast)
		if err == nil && (r.header.Version != 2 || len(r.events) != bytes.Count(cast, []byte("\n"))-1) {
			t.Errorf("%q is read as %+v", cast, r)
		}
	})
}
