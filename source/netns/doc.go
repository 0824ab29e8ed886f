// Package netns tells which network namespaces a host has, what they are
// called, and looks at them where no better engine does.
//
//	Lister   which there are: those of processes (/proc/PID/ns/net) and those
//	         that are mounted (/run/netns/NAME), each with its name
//	Cgroups  from the id or the file of a control group to its path, unit and
//	         container
//	Gate     what is in them: proves from one small file that most are far from
//	         trouble, and dumps the sockets of the others
//
// # Names
//
// A name comes from the control group of the oldest process that is no pause
// container, then from what the container engine wrote down, the host name in
// the namespace, the name of its mount, and last the name of a process. No
// daemon is asked. Where nothing is sure, the name says less, never something
// else.
//
// # Nothing is kept alive
//
// A descriptor of a namespace, and a socket opened in it, keep a dead
// container and its interfaces. So none of them outlives a poll. What is kept
// is the files of /proc/sys/net: they go on telling of the namespace in which
// they were opened, and say ENOENT when that has ended.
//
// The package must not know what the sockets mean, nor whose they are.
package netns
