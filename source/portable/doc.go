// Package portable takes moments by gopsutil: on every system that has no
// origin of its own, and on Linux where the kernel refuses netlink. It sees
// less than the kernel's own tables tell, and says so in Moment.Limits.
//
// It depends on packages source, sysctl and procfs, and on gopsutil, of which
// the rest of the program knows nothing. It must not know what a moment means.
package portable
