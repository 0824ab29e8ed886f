package command

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ephtop/model/filter"
	"ephtop/ui/dashboard"
	"ephtop/ui/fleet"
	"ephtop/ui/text"
)

func (a *app) man() *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "Write the manual page",
		Long:  "Writes the manual page of ephtop and all its commands, in the language of man(7).",
		Example: `  ephtop man | man -l -
  ephtop man > /usr/local/share/man/man1/ephtop.1`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := bufio.NewWriter(a.Stdout)
			manual{out}.page(cmd.Root())
			return out.Flush()
		},
	}
}

// manual writes man(7). An error stays in the writer until Flush.
type manual struct{ *bufio.Writer }

func (m manual) page(root *cobra.Command) {
	root.InitDefaultHelpFlag()
	root.InitDefaultVersionFlag()
	m.macro("TH", "EPHTOP", "1", "", "ephtop", "User Commands")
	m.macro("SH", "NAME")
	m.text("ephtop - " + root.Short)
	m.macro("SH", "SYNOPSIS")
	m.text("ephtop [OPTIONS]\n\nephtop COMMAND [OPTIONS]")
	m.macro("SH", "DESCRIPTION")
	m.text(root.Long)
	m.macro("SH", "OPTIONS")
	m.text("These are of the dashboard and, but for --trace and --version, of every command.")
	m.flags(root.LocalFlags())
	m.macro("SH", "COMMANDS")
	for _, c := range root.Commands() {
		if !c.IsAvailableCommand() {
			continue
		}
		m.macro("SS", c.Use)
		m.text(c.Short + ".")
		if c.Long != "" {
			m.text("\n" + c.Long)
		}
		m.flags(c.LocalNonPersistentFlags())
		m.example(c.Example)
	}
	m.keys()
	m.macro("SH", "FILTER EXPRESSIONS")
	m.text(filterHelp)
	for _, k := range filter.Keys() {
		m.tagged(k.Prefix(), k.Help+", as in "+k.Example)
	}
	m.macro("SH", "ENVIRONMENT")
	m.tagged("NO_COLOR", "If it is not empty, there are no colours unless --color says always.")
	m.tagged("TERM, COLORTERM, WT_SESSION", "Tell how many colours the terminal has. Where TERM is dumb or missing, there is no dashboard.")
	m.tagged("TMUX, STY", "Tell that the clipboard is that of a terminal around tmux(1) or screen(1).")
	m.tagged("COLORFGBG", "Where its last number is 7 or 15, the theme light takes the place of the default one.")
	m.tagged(prometheusVariable, "The URL of fleet --prometheus where none is given.")
	m.macro("SH", "FILES")
	m.tagged("ephtop-HOST-TIME.eph", "What the key r records, in the working directory.")
	m.tagged("ephtop-HOST-TIME.md", "The report that the key E writes there.")
	m.tagged("ephtop-HOST-TIME.trouble.eph", "What serve --keep and record --ring keep in their directory.")
	m.tagged("/etc/default/ephtop", "The flags of serve in the unit of the packages for Debian and RPM.")
	m.tagged("/var/lib/ephtop", "That unit's own directory, for --keep.")
	m.tagged("/proc, /sys/kernel/tracing, /run/netns", "What is read on Linux, beside the kernel's own tables.")
	m.macro("SH", "EXIT STATUS")
	m.text("0 if all went well, 1 if it did not, 2 if the command line is wrong or names a file that cannot be used.\n" +
		"check: 0 ok, 1 warning, 2 critical, 3 unknown.\n" +
		"doctor: 0 ok or not known, 1 a warning, 2 a problem, or a failure as above.")
	m.macro("SH", "EXAMPLES")
	m.text(root.Example)
	m.macro("SH", "SEE ALSO")
	m.text("ss(8), ip-netns(8), sysctl(8), conntrack(8), tcp(7), ip(7), htop(1)")
}

// keys writes what the help of the dashboard says, and that of the table of hosts.
func (m manual) keys() {
	m.macro("SH", "KEYS")
	for _, g := range dashboard.Keys() {
		m.macro("SS", g.Title)
		for _, k := range g.Keys {
			m.tagged(k.Key, k.Does)
		}
	}
	for _, g := range fleet.Keys() {
		m.macro("SS", "In the table of hosts: "+strings.ToLower(g.Title))
		for _, k := range g.Keys {
			m.tagged(k.Key, k.Does)
		}
	}
}

const filterHelp = `Terms are joined by spaces, and all must hold. ! before a term negates it, commas
in a value mean or, and text without a key matches process, address, port or
state, as in

  state:TIME_WAIT,CLOSE_WAIT rport:443 !proc:nginx age>30s

The keys are`

// macro writes a request with its arguments.
func (m manual) macro(name string, arguments ...string) {
	m.WriteString("." + name)
	for _, s := range arguments {
		fmt.Fprintf(m, ` "%s"`, strings.ReplaceAll(escape(s), `"`, `\(dq`))
	}
	m.WriteByte('\n')
}

// text writes running text; an empty line begins a paragraph, and indented
// lines stay as they are.
func (m manual) text(s string) {
	asIs := false
	for line := range strings.SplitSeq(s, "\n") {
		if indented := strings.HasPrefix(line, " "); indented != asIs {
			asIs = indented
			m.macro(map[bool]string{true: "nf", false: "fi"}[asIs])
		}
		if line == "" {
			m.macro("PP")
			continue
		}
		lines := []string{line}
		if !asIs {
			lines = text.Wrap(line, 78)
		}
		for _, line := range lines {
			if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
				m.WriteString(`\&`)
			}
			m.WriteString(escape(line) + "\n")
		}
	}
	if asIs {
		m.macro("fi")
	}
}

// tagged writes a word and what is to be said about it.
func (m manual) tagged(word, about string) {
	m.macro("TP", "16")
	m.text(word + "\n" + about)
}

func (m manual) flags(set *pflag.FlagSet) {
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		switch kind := f.Value.Type(); {
		case kind == "bool":
		case f.NoOptDefVal != "":
			name += " [" + kind + "]"
		default:
			name += " " + kind
		}
		usage := f.Usage
		if f.DefValue != "" && f.DefValue != "false" {
			usage += " (default " + f.DefValue + ")"
		}
		m.tagged(name, usage)
	})
}

// example writes lines as they are.
func (m manual) example(s string) {
	if s != "" {
		m.text("\n" + s)
	}
}

// escape keeps troff from reading more into a text than is there, and writes
// what is not ASCII as it knows it.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "↑", `\(ua`, "↓", `\(da`, "←", `\(<-`, "→", `\(->`, "↵", "enter").Replace(s)
}
