// Command ephtop answers one question on a host that is in trouble: who is
// using up the ephemeral ports, towards where, how long until connect() fails,
// and what would help?
package main

import (
	"io"
	"os"

	"ephtop/source/live"
	"ephtop/ui/command"
	"ephtop/ui/dashboard"
	_ "ephtop/ui/term" // keeps Bubble Tea from questioning the terminal
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run gives the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return command.Run(args, command.Env{
		Stdin: stdin, Stdout: stdout, Stderr: stderr,
		Open:      live.Open,
		Dashboard: dashboard.Run,
	})
}
