// Package procfs reads what Linux's /proc says of processes (proc(5)), of this
// kernel and of ourselves: which rights it takes to read the files of others. A
// caller decides when a process is looked up; [Reader] then reads of one process
// alone, though its number may be given away meanwhile.
// It must not know what a process is looked up for.
package procfs
