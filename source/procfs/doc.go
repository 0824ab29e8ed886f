// Package procfs reads what the files of a process in Linux's /proc say
// (proc(5)), and which rights it takes to read them. It parses bytes, and opens
// no file of a process; that is up to who knows when.
// It must not know what a process is looked up for.
package procfs
