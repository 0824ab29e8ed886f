// Command ephtop answers one question on a host that is in trouble: who is
// using up the ephemeral ports, towards where, how long until connect() fails,
// and what would help?
//
// # The house
//
//	main.go     hands the sources and the dashboard to the command line
//	source/     what the system says   every way to get a source.Moment
//	model/      what it means          pure: Moments in, an Overview out; no I/O, no clock
//	ui/         how a person sees it   dashboard, reports, the command line
//	demo.tape   the recorded demo, as a VHS script
//
// Data flows one way, and imports run the other way: main → ui → model →
// source. The model imports package source and the standard library, and no
// package under source.
//
// # What is where
//
//	source                  the types: Moment, Snapshot, Socket, Settings, Evidence …
//	  live                  picks the best source of this system, and puts it together
//	  tables                Linux: the kernel's own tables, of all namespaces in one pass (BPF)
//	  netns                 Linux: which network namespaces there are, and their names
//	  sockdiag              Linux: the kernel's dump of the sockets
//	  owner                 Linux: from the inode of a socket to its process
//	  sysctl                range, reserved ports, tcp_tw_reuse …, on each system
//	  trace                 Linux: who closes, and which connects fail, by tracefs
//	  memory                how much of it we may take
//	  procfs                parsers of the files of /proc
//	  portable              gopsutil: other systems, and where the kernel refuses
//	  recording             recordings: format, writer, reader, player
//	  recording/anonymize   recordings without who and where
//	  evidence              log, conntrack, sysctl files, asked once by doctor
//	  evidence/firewall     what the rules do with the answers
//	  evidence/host         reads files and runs commands for it, bounded
//	  demo                  a simulated host
//	  netlab                network namespaces, for tests only
//	  fleet                 many hosts: by ssh, by Prometheus, and the table of them
//	  spawn                 commands that end with this program
//	model                   the kernel's rules; State, Overview, Fleet; findings
//	  filter                the language of --filter and /
//	  list                  which connections, in which order, and following a row
//	  services              names and kinds of ports
//	ui/command              each file a command; the contract with users
//	ui/session              the loop: poll or play, model, recorder; knows no terminal
//	ui/dashboard            keys, and what is where on the screen
//	ui/dashboard/paint      from what is to be seen to a frame
//	ui/fleet                many hosts in one table; simulated makes some up
//	ui/lineedit             a line that is typed
//	ui/terminal             the terminal itself: cell by cell, suspend, clipboard; and guard,
//	                        which keeps Bubble Tea from questioning it
//	ui/export               frames of a recording, played without a terminal; cast, svg, page
//	ui/metrics, serve       metrics for Prometheus: the page, and who hands it out
//	ui/report               text, JSON, CSV, the line of check, doctor's page
//	ui/advice               the words of findings and remedies
//	ui/screen, theme, text  cells, colours, numbers and names
//
// The kernel's rules are in the documentation of package model, how a source
// is written in that of package source, and commands, keys and outputs in that
// of package ui/command. How to build, test and contribute is in
// .github/CONTRIBUTING.md.
package main

import (
	"os"
	"runtime"
	"strings"

	"ephtop/source/evidence/host"
	"ephtop/source/live"
	"ephtop/source/memory"
	"ephtop/ui/command"
	"ephtop/ui/dashboard"
	"ephtop/ui/fleet"
)

func main() {
	if os.Getenv("GOGC") == "" {
		memory.Collect()
	}
	memory.Bound("/")
	if runtime.GOOS != "linux" && os.Geteuid() == 0 { // a library starts lsof by its name
		os.Setenv("PATH", strings.Join(host.SearchPath(), string(os.PathListSeparator)))
	}
	os.Exit(command.Run(os.Args[1:], command.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Open:      live.Open,
		Dashboard: dashboard.Run,
		Fleet:     fleet.Run,
	}))
}
