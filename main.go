// Command ephtop answers one question on a host that is in trouble: who is
// using up the ephemeral ports, towards where, how long until connect() fails,
// and what would help?
package main

import (
	"os"

	"ephtop/source/live"
	"ephtop/ui/command"
	"ephtop/ui/dashboard"
)

func main() {
	os.Exit(command.Run(os.Args[1:], command.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Open:      live.Open,
		Dashboard: dashboard.Run,
	}))
}
