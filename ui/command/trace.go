package command

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ephtop/source/live"
)

const traceFlag = "trace"

// addTrace adds the flag to a command that can trace.
func (a *app) addTrace(cmd *cobra.Command) {
	modes := live.TraceModes()
	v := choice("MODE", a.flags.trace, modes, func(s string) { a.flags.trace = s })
	v.kind = "WHEN"
	parse := v.parse
	v.parse = func(s string) error {
		if mode, ok := formerModes[s]; ok {
			s = mode
		}
		return parse(s)
	}
	cmd.Flags().Var(v, traceFlag, "have the kernel tell who closes and which connects fail (Linux; root, or CAP_BPF and CAP_PERFMON): "+
		"auto, where it may; on, which is meant without a value; off")
	cmd.Flags().Lookup(traceFlag).NoOptDefVal = live.TraceOn
	offer(cmd, traceFlag, cobra.FixedCompletions([]string{
		live.TraceAuto + "\twhere it may", live.TraceOn + "\tor not at all", live.TraceOff + "\tnever",
	}, cobra.ShellCompDirectiveNoFileComp))
}

func isMode(s string) bool {
	return slices.ContainsFunc(live.TraceModes(), func(mode string) bool { return strings.EqualFold(s, mode) })
}

// formerModes are the values of when the flag was a yes or a no.
var formerModes = map[string]string{"true": live.TraceOn, "false": live.TraceOff}

// joinTrace has a mode that follows the flag as a word of its own be its value:
// for pflag, the value of a flag that can be without one takes a "=".
func joinTrace(args []string) []string {
	joined := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(joined, args[i:]...)
		}
		if args[i] == "--"+traceFlag && i+1 < len(args) && isMode(args[i+1]) {
			joined = append(joined, args[i]+"="+args[i+1])
			i++
			continue
		}
		joined = append(joined, args[i])
	}
	return joined
}
