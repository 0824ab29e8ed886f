package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ephtop/source/recording"
	"ephtop/ui/ending"
	"ephtop/ui/export"
	"ephtop/ui/text"
)

// exportFormat is one of what a recording can be exported to.
type exportFormat struct {
	name, summary string
	// frames says that it shows the screen, so that the flags about it count.
	frames bool
	write  func(*exported, context.Context) error
}

func exportFormats() []exportFormat {
	return []exportFormat{
		{"cast", "the screen as an asciicast, for asciinema, its web player and agg", true, (*exported).cast},
		{"svg", "the screen as a picture that plays, or with --at a still one", true, (*exported).svg},
		{"html", "the screen as a page that plays and needs no network, with the findings", true, (*exported).html},
		{"md", "a report of one moment, for a ticket", false, (*exported).markdown},
		{"json", "the figures of all moments, an object a line", false, (*exported).json},
		{"csv", "the figures of all moments, a record each", false, (*exported).csv},
	}
}

// exportOptions say what to export, and how.
type exportOptions struct {
	in, path string
	format   exportFormat
	at       *instant // nil for none
	asIs     bool
	keep     []string // names of processes
	force    bool
	frames   export.Options
	colors   string // name of a theme; "" where none was asked for
}

func (a *app) export() *cobra.Command {
	var o exportOptions
	as := ""
	cmd := &cobra.Command{
		Use:   "export RECORDING OUT [flags]",
		Short: "Make a film, a report or a table of a recording, to be shared",
		Long: `Writes OUT, by its ending or --as:

` + exportList() + `

.cast, .svg and .html show the dashboard as it was, from the first moment on. A
film begins at --at, and a .svg stands still there. They take --filter, --by,
--findings, and the keys of --keys pressed. A link can name a time in a page:
trouble.html#t=46. .md is about the worst moment, or that of --at. .json and
.csv have all, or that of --at; a line of .json is what snapshot -o json writes,
with the connections that pass --filter, and without it none. Of several network
namespaces they are about the worst, or about that of --netns, from when it is
there; a film begins then. Of a damaged recording what is before the damage is
exported, and the exit status is 1.

Who and where are replaced as anonymize does it, but for the process names of
--keep-names: the same each time that the same recording is exported. What was
replaced and what was kept is said on standard error. --filter goes by what is
there then. --as-is replaces nothing.
A recording of a demo names nobody, and one that is anonymous is left as it is.

- is standard input, but for what shows the screen, and with --as standard
output. OUT is for its owner only (mode 0600), and there whole or not at all.
Times are told in UTC; --at takes local time, or UTC with Z at its end.`,
		Example: `  ephtop export --speed 8 trouble.eph trouble.svg
  ephtop export --speed 8 trouble.eph trouble.html
  ephtop export trouble.eph trouble.md
  ephtop export --at 12:04:31 --keep-names nginx,java trouble.eph trouble.md
  ephtop export trouble.eph - --as csv | column -ts,
  ssh host ephtop record --duration 1m - | ephtop export - host.json`,
		Annotations: map[string]string{polls: "yes"},
		Args: func(cmd *cobra.Command, args []string) error {
			return files(cmd, args, "a recording to read, or - for standard input", "a file to write, or - for standard output")
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.in, o.path = args[0], args[1]
			if o.format, err = formatOf(o.path, as); err != nil {
				return err
			}
			if err := a.validateExport(cmd, &o); err != nil {
				return err
			}
			return a.exportRecording(cmd.Context(), &o)
		},
	}
	cmd.Flags().Var(choice("FORMAT", "", exportNames(), func(s string) { as = s }), "as", "what to write, whatever the ending: "+list(exportNames()))
	var completions []string
	for _, f := range exportFormats() {
		completions = append(completions, f.name+"\t"+f.summary)
	}
	offer(cmd, "as", cobra.FixedCompletions(completions, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder))
	addFrames(cmd, &o.frames)
	addAt(cmd, &o.at, "the moment: 12:04:31 or 2026-11-22T12:04:31Z")
	addKeepNames(cmd, &o.keep)
	cmd.Flags().BoolVar(&o.asIs, "as-is", false, "replace no address and no name")
	addForce(cmd, &o.force)
	return cmd
}

func exportNames() []string {
	var names []string
	for _, f := range exportFormats() {
		names = append(names, f.name)
	}
	return names
}

// exportList says what the endings are.
func exportList() string {
	var lines []string
	for _, f := range exportFormats() {
		lines = append(lines, fmt.Sprintf("  .%-5s %s", f.name, f.summary))
	}
	return strings.Join(lines, "\n")
}

// formatOf gives the format that --as names, or else the ending of a file.
func formatOf(out, as string) (exportFormat, error) {
	formats, endings := exportFormats(), exportNames()
	for i, name := range endings {
		endings[i] = "." + name
	}
	ending := strings.ToLower(filepath.Ext(out))
	if as != "" {
		ending = "." + as
	}
	i := slices.Index(endings, ending)
	switch {
	case i >= 0:
		return formats[i], nil
	case out == stdStream:
		return exportFormat{}, usagef("standard output has no ending that says what to write: use --as %s", list(exportNames()))
	case ending == "" || ending == ".":
		return exportFormat{}, usagef("%s has no ending that says what to write: use %s, or name the format with --as", out, list(endings))
	}
	return exportFormat{}, usagef("%s: unknown ending %s: %s, or name the format with --as", out, ending, strings.TrimSuffix(instead(ending, endings), "?"))
}

// validateExport checks what one flag alone cannot tell.
func (a *app) validateExport(cmd *cobra.Command, o *exportOptions) error {
	if err := a.refuseHostFlags(cmd, "a recording", "range"); err != nil {
		return err
	}
	if o.asIs && len(o.keep) > 0 {
		return usagef("--as-is and --keep-names: use one of them, for --as-is keeps all names")
	}
	if cmd.Flags().Changed("theme") {
		o.colors = a.flags.theme
	}
	for _, name := range frameFlags {
		if cmd.Flags().Changed(name) && !o.format.frames {
			return usagef("--%s is for what shows the screen, and .%s does not: leave it out", name, o.format.name)
		}
	}
	if cmd.Flags().Changed("filter") && !o.format.frames && o.format.name != "json" {
		return usagef("--filter is for connections, which .%s does not list: leave it out", o.format.name)
	}
	return nil
}

// exportRecording writes the file, whole or not at all.
func (a *app) exportRecording(ctx context.Context, o *exportOptions) (err error) {
	ctx, stop := ending.Told(ctx)
	defer stop()
	player, err := ending.Unless(ctx, 0, func() (*recording.Player, error) { return a.openAny(o.in) })
	if err != nil {
		return err
	}
	defer player.Close()
	if a.isRecording(o) {
		return usagef("%s is the recording itself: use another name", text.Sanitize(o.path))
	}
	file, err := a.createExport(ctx, o)
	if err != nil {
		return err
	}
	e := newExported(a, o, player, &unlessTold{file, ctx, nil})
	if err := e.write(ctx); err != nil {
		if f, ok := file.(*recording.File); ok {
			err = errors.Join(err, f.Discard())
		}
		return err
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("close the file: %w", err)
	}
	return e.tell()
}

// isRecording says whether OUT is the file that is read, by a name or as standard
// input: an export in the recording's place would be the end of the recording.
func (a *app) isRecording(o *exportOptions) bool {
	in, err := os.Stat(o.in)
	if f, ok := a.Stdin.(*os.File); ok && o.in == stdStream {
		in, err = f.Stat()
	}
	if o.path == stdStream || err != nil || !in.Mode().IsRegular() {
		return false
	}
	out, err := os.Stat(o.path)
	return err == nil && os.SameFile(in, out)
}

// createExport makes the file that is written to. What is text goes to a terminal
// too: names in it command none.
func (a *app) createExport(ctx context.Context, o *exportOptions) (io.WriteCloser, error) {
	if o.path == stdStream && !o.format.frames {
		return leftOpen{a.Stdout}, nil
	}
	return a.createRecording(ctx, o.path, o.force, recording.CreateWhole)
}

// inputName is what a recording is called in what is said of it.
func inputName(path string) string {
	if path == stdStream {
		return "standard input"
	}
	return text.Sanitize(path)
}
