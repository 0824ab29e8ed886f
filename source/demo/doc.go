// Package demo is a simulated host: its kernel hands out ports by the rules of
// Linux 6.18, its processes open and close connections as a scenario tells
// them, and [Host] shows it all as a source of moments. Time is simulated
// too: each poll is one step on, and the same seed gives the same moments.
//
// It depends on package source and the standard library only, and touches
// neither the network nor the clock. It must not know what the moments mean:
// the findings that a scenario raises are found by package model, as on any
// host.
package demo
