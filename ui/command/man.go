package command

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ephtop/model/filter"
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
	m.macro("TH", "EPHTOP", "1", "", "ephtop", "User Commands")
	m.macro("SH", "NAME")
	m.text("ephtop - " + root.Short)
	m.macro("SH", "SYNOPSIS")
	m.text("ephtop [FLAGS]\n\nephtop COMMAND [FLAGS]")
	m.macro("SH", "DESCRIPTION")
	m.text(root.Long)
	m.macro("SH", "FLAGS")
	m.flags(root.PersistentFlags())
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
	m.macro("SH", "FILTERS")
	m.text(filterHelp)
	for _, k := range filter.Keys() {
		m.macro("TP")
		m.text(k.Prefix() + "\n" + k.Help + ", as in " + k.Example)
	}
	m.macro("SH", "ENVIRONMENT")
	m.macro("TP")
	m.text("NO_COLOR\nIf it is not empty, there are no colours unless --color says always.")
	m.macro("TP")
	m.text("TERM, COLORTERM\nTell how many colours the terminal has; a dumb one gets none.")
	m.macro("SH", "EXIT STATUS")
	m.text("0 if all went well, 1 if it did not, 2 if the command line is wrong or names a file that cannot be used.\n" +
		"check: 0 ok, 1 warning, 2 critical, 3 unknown.\n" +
		"doctor: 0 ok or not known, 1 a warning, 2 a problem, or a failure as above.")
	m.macro("SH", "EXAMPLES")
	m.example(root.Example)
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

// text writes running text; an empty line begins a paragraph.
func (m manual) text(s string) {
	for line := range strings.SplitSeq(s, "\n") {
		switch {
		case line == "":
			m.macro("PP")
		case line[0] == '.' || line[0] == '\'':
			m.WriteString(`\&` + escape(line) + "\n")
		default:
			m.WriteString(escape(line) + "\n")
		}
	}
}

func (m manual) flags(set *pflag.FlagSet) {
	set.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Hidden {
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
		m.macro("TP")
		m.text(name + "\n" + usage)
	})
}

// example writes lines as they are.
func (m manual) example(s string) {
	if s == "" {
		return
	}
	m.macro("PP")
	m.macro("nf")
	m.text(s)
	m.macro("fi")
}

// escape keeps troff from reading more into a text than is there.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...").Replace(s)
}
