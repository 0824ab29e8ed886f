// Package source holds the types that describe one moment of a host's
// sockets, and the interface through which every origin of such moments is
// read: the Linux kernel (sockdiag, owner, sysctl, put together by live),
// the portable fall-back, and whatever else can fill a [Moment]. The types of
// what a host says beside its sockets, [Evidence], stand here too.
//
// It depends on the standard library only. It must not know what the figures
// mean (package model) or how a person sees them (package ui).
package source
