package command

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version, and what it was built with",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.Stdout, version())
			return err
		},
	}
}

// version says what the go command wrote into the program: the module's
// version, and the commit where it was built from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	return describe(info) + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
}

// moduleVersion is the module's version alone.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	return cmp.Or(info.Main.Version, "(devel)")
}

func describe(info *debug.BuildInfo) string {
	version := cmp.Or(info.Main.Version, "(devel)")
	set := make(map[string]string)
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	line := "ephtop " + version
	commit := set["vcs.revision"]
	commit = commit[:min(len(commit), 12)]
	// A pseudo-version holds the commit already, and "+dirty" after changes.
	if commit != "" && !strings.Contains(version, commit) {
		line += " commit " + commit
		if set["vcs.modified"] == "true" {
			line += " with changes"
		}
	}
	return line
}
