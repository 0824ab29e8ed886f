// Package procfs reads what the files of a process in Linux's /proc say
// (proc(5)). It parses bytes, and opens no file but the system's list of users.
// It must not know what a process is looked up for.
package procfs
