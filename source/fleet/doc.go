// Package fleet follows many hosts: how near each is to having no port left. A
// [Feed] tells of them, a [Table] keeps what was told, and puts it in order.
//
//	ssh          ─ a line of "ephtop watch" a poll ─┐
//	Prometheus   ─ three questions a refresh ───────┼─▶ Report ─▶ Table ─▶ rows, worst first
//	(ui) a demo  ─ the same lines, made in process ─┘
//
// Levels and outlooks are those that the hosts themselves have found; nothing is
// computed anew here. What hosts, remote shells and servers say is foreign text: it
// is bounded here, and made fit for a screen where it is shown.
//
// It depends on packages source, spawn and guard, and the standard library. It
// knows no terminal.
package fleet

import "context"

// Feed tells what it learns of hosts.
type Feed interface {
	// Run follows the hosts until ctx ends, and returns when all that it started
	// has ended. tell may be called from several goroutines at a time.
	Run(ctx context.Context, tell func(Report))
}

// Report is what a feed has learnt.
type Report struct {
	// Hosts are those that there is news of.
	Hosts []Host
	// Fault says why the feed as a whole fails, and nil that it does not, as far
	// as it has told.
	Fault error
	// Lack says what is missing of what it tells all the same; nil for nothing.
	Lack error
}
