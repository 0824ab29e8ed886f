// Package evidence reads what a host has to say beside its sockets: the
// firewall's rules for return traffic, the table of connection tracking, the
// system log, and the settings of the kernel with the files that make them. It
// is asked once, by "ephtop doctor", and never on the poll path.
//
// Each part says whether it was read, could not be read or is not there, and
// why. What cannot be judged is named as such. Nothing on the host is changed.
//
// It depends on packages source and sysctl, the standard library and the
// system's own tools (nft, iptables-save, journalctl). Package host reads files
// and runs tools with a bound; package firewall judges the rules. It must not
// know what the answers mean for the ports in use (package model) or how a
// person sees them.
package evidence
