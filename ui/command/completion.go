package command

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"ephtop/model/filter"
	"ephtop/source/live"
	"ephtop/ui/theme"
)

var shells = []string{"bash", "zsh", "fish", "powershell"}

func (a *app) completion() *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Write a shell's completion script: " + list(shells),
		Long: `Writes a script that makes a shell complete ephtop's commands, flags and their
values. The shells are ` + list(shells) + `.`,
		Example: `  source <(ephtop completion bash)
  ephtop completion zsh > "${fpath[1]}/_ephtop"
  ephtop completion fish > ~/.config/fish/completions/ephtop.fish
  ephtop completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: shells,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return usagef("completion needs a shell: %s", list(shells))
			case !slices.Contains(shells, args[0]):
				return usagef("unknown shell %q: %s", args[0], instead(args[0], shells))
			case len(args) > 1:
				return usagef("%q: completion takes one shell only", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.Stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.Stdout)
			case "fish":
				return root.GenFishCompletion(a.Stdout, true)
			}
			return root.GenPowerShellCompletionWithDesc(a.Stdout)
		},
	}
}

// completeFlags offers the values of the common flags.
func completeFlags(root *cobra.Command) {
	none := cobra.ShellCompDirectiveNoFileComp
	offer(root, "source", cobra.FixedCompletions(live.Kinds(), none))
	offer(root, "netns", completeNetns)
	offer(root, "color", cobra.FixedCompletions(colorModes, none))
	offer(root, "theme", cobra.FixedCompletions(theme.Names(), none))
	offer(root, "filter", completeFilter)
	offer(root, "interval", cobra.FixedCompletions([]string{"500ms", "1s", "2s", "5s", "10s"}, none))
	offer(root, "nat", cobra.FixedCompletions(natBudgets, none))
	for _, name := range []string{"range", "warn", "critical"} {
		offer(root, name, cobra.NoFileCompletions)
	}
}

// offer registers the completion of a flag's values.
func offer(cmd *cobra.Command, flag string, values cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, values); err != nil {
		panic(fmt.Sprintf("completion of --%s: %v", flag, err)) // no such flag: a mistake in this package
	}
}

// completeFilter completes the last term of a filter: its key, or one of the
// values of a key that has only a few.
func completeFilter(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	c := filter.Complete(typed, func(string) []string { return nil })
	directive := cobra.ShellCompDirectiveNoFileComp
	var found []string
	for _, candidate := range c.Candidates {
		word := typed[:c.From] + candidate.Text
		if candidate.Help != "" {
			word += "\t" + candidate.Help
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		found = append(found, word)
	}
	return found, directive
}
