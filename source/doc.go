// Package source holds the types that describe what a host says of its
// sockets, and the interface through which every origin of them is read.
//
//	Moment                     one look at a host
//	├─ Time, Mono, Took        when, by the wall clock and by one that nobody sets
//	├─ Host, OS, Kernel        of the host that was looked at, not of this one
//	├─ Processes               those that sockets point to; the ids are the host's
//	├─ Exited                  those of them that have ended since the moment before
//	├─ Cgroups                 the control groups that processes and sockets point to
//	├─ Snapshots               one for each network namespace that was looked at
//	│  ├─ Scope                which one
//	│  ├─ Settings             its range of ports, and the rules for them
//	│  ├─ Blocked, VRFs        the ports that connect() skips, where that is known
//	│  └─ Sockets              its rows: a window of Room
//	├─ Quiet                   those that were not, as a proof says they are far from trouble
//	├─ Room                    the rows of all, side by side
//	├─ Events                  what the kernel told since the moment before
//	└─ Limits                  what could not be seen, and why
//
// A [Socket] is one row of the kernel's tables, without a pointer in it: a
// hundred thousand of them cost the garbage collector nothing. What is shared
// by rows is said once: the process by its index in Moment.Processes. A
// [Scope] is a namespace of a host and its identity is both. A [Limit] is
// typed, and has its sentence in ui/advice. [Settings] belong to a namespace,
// for on Linux each has a range of its own; the ports that they leave are a
// [PortSet] ([PortSet.SetUsable]).
//
// [Evidence] is what a host says beside its sockets: firewall, connection
// tracking, system log and sysctls. It is asked for once (package
// source/evidence), and is no part of a moment.
//
// # Origins
//
//	live       picks the best origin that this host has, and puts it together:
//	  tables     Linux: the kernel's own tables, of all namespaces in one pass, and events
//	  netns      Linux: which namespaces there are, their names, and which to look at without tables
//	  sockdiag   Linux: the kernel's dump of the sockets of one namespace
//	  owner      Linux: from the inode of a socket to its process
//	  sysctl     the range and the rules, on each system
//	  trace      Linux: closes and failed connects, as they happen
//	  portable   gopsutil, elsewhere and where the kernel refuses
//	recording  plays what was recorded
//	demo       a simulated host
//
// # How a source fills a moment
//
// [Source].Poll overwrites the moment that it is given and reuses its memory:
//
//	m.Reset()                                  empty, memory kept
//	m.Time, m.Host, m.OS, m.Source = …         the head
//	s := m.Add(scope)                          a namespace; s is good until the next Add
//	s.Settings, s.BoundListed, s.Inodes = …    what it is like, and what this origin knows
//	m.Room = append(m.Room, …)                 its rows
//	m.Processes = append(m.Processes, …)       each once; Socket.Process is the index
//	m.Limit(source.LimitNoTimers, "")          what it did not see
//	s.Sockets = m.Room[from:to:to]             the windows, once Room grows no more
//
// The rules:
//
//   - A field that is not known is zero, or where zero means something:
//     [NoProcess], [UnknownSetting]. Nothing is guessed; where a default stands
//     in for the range, Settings.Assumed says so.
//   - What a system or an origin lacks is a flag in Settings or Snapshot
//     (PoolOnly, Parity, BoundListed, Inodes …), so that nobody above asks for
//     names of systems.
//   - IPv4 addresses are v4-mapped ([Addr4]); [AddrFrom] does it.
//   - UID and Inode of a TIME_WAIT are 0, whatever the kernel fills in.
//   - What goes wrong with a part is a Limit, and the moment stands. What
//     leaves nothing to show is an error, and the next Poll may succeed.
//   - Poll honours its context.
//
// The package depends on the standard library only. It must not know what the
// figures mean (package model) or how a person sees them (the packages under
// ui).
package source
