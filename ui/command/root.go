package command

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// polls is the annotation of commands to which the common flags matter.
const polls = "polls"

// root builds the commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "ephtop",
		Short: "top for ephemeral ports",
		Long: `ephtop shows who is using up the ephemeral ports of this host, towards where,
and how long until connect() fails.

Without a command it opens the dashboard. Keys: ? help, tab next pane, / filter,
s sort, b consumers by process, destination, service, user, container or unit,
p protocol, 1 2 3 connections, destinations, network namespaces and pools of
SNAT and NAT, f findings, space pause and then left and right look back, enter
details, t trace, r record, E report, q quit.`,
		Example: `  ephtop                                  the dashboard
  ephtop --interval 5s --filter rport:5432
  ephtop snapshot                         one look, as text
  ephtop snapshot -o json | jq '.tuples[0]'
  ephtop check --warn 50                  one line and a status, for monitoring
  ephtop doctor                           the checklist, and what would help
  ephtop record trouble.eph               keep it; ephtop replay shows it again
  ephtop export trouble.eph trouble.md    a report of it, without names
  ephtop fleet web-01 web-02              many hosts in one table, over ssh
  ephtop demo                             the dashboard on a simulated host`,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              rootArguments,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.flags.validate() },
		RunE:              a.showDashboard,
	}
	a.flags.add(root.PersistentFlags())
	a.addTrace(root)
	completeFlags(root)
	root.AddCommand(a.demo(), a.record(), a.replay(), a.anonymize(), a.export(), a.snapshot(), a.check(), a.doctor(), a.watch(), a.serve(), a.fleet(), a.version(),
		a.completion(), a.man())
	root.SetHelpCommand(help())
	root.SetFlagErrorFunc(flagError)
	root.Flags().SortFlags = false
	for _, c := range root.Commands() {
		c.Flags().SortFlags = false
	}
	root.SetUsageTemplate(usageTemplate)
	root.SetVersionTemplate("{{.Version}}\n")
	return root
}

// usageTemplate is cobra's, shorter: the common flags are shown only where
// they matter, and nothing is said twice.
const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} [flags]
  {{.CommandPath}} COMMAND [flags]{{else}}{{.UseLine}}{{end}}
{{- if .HasExample}}

Examples:
{{.Example}}{{end}}
{{- if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}
{{- if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}{{end}}
{{- if .HasAvailableInheritedFlags}}{{if index .Annotations "polls"}}

Flags of every command:
{{.InheritedFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}{{end}}{{end}}
`

// rootArguments is only asked when no command has the name of the first one.
func rootArguments(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	names := commandNames(root)
	if near := nearest(args[0], names); near != "" {
		return usagef("unknown command %q: %s", args[0], instead(args[0], names))
	}
	return usagef("unknown command %q: use %s, or none for the dashboard", args[0], list(names))
}

func commandNames(root *cobra.Command) []string {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			names = append(names, c.Name())
		}
	}
	return names
}

// flagError says in one line what is wrong with a flag, and what is accepted.
func flagError(cmd *cobra.Command, err error) error {
	// A flag of an unknown command is not the mistake to talk about.
	if args := cmd.Flags().Args(); !cmd.HasParent() && len(args) > 0 {
		return cmd.Args(cmd, args)
	}
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		name := "--" + unknown.GetSpecifiedName()
		if letters := unknown.GetSpecifiedShortnames(); letters != "" {
			name = "-" + string([]rune(letters)[0]) // the first one is the wrong one
		}
		return usagef("unknown flag %s: %s", name, instead(name, flagNames(cmd)))
	case errors.As(err, &missing):
		flag := missing.GetFlag()
		if v, ok := flag.Value.(*value); ok {
			return usagef("--%s needs a value: %s", flag.Name, v.accepts)
		}
	case errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "bool":
		return usagef("--%s: %q is neither true nor false", invalid.GetFlag().Name, invalid.GetValue())
	case errors.As(err, &invalid):
		return usagef("--%s: %w", invalid.GetFlag().Name, invalid.Unwrap())
	}
	return usagef("%w: see %s --help", err, cmd.CommandPath())
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	return names
}

// help is the command of that name; cobra's own answers an unknown command
// with a page and status 0.
func help() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if len(args) == 0 {
				for _, c := range cmd.Root().Commands() {
					if strings.HasPrefix(c.Name(), prefix) && c.IsAvailableCommand() {
						names = append(names, c.Name()+"\t"+c.Short)
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return rootArguments(cmd.Root(), append(rest, args...))
			}
			found.InitDefaultHelpFlag()
			found.InitDefaultVersionFlag()
			return found.Help()
		},
	}
}
