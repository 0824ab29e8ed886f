package conntrack

import "ephtop/source/procfs"

// Answers reports whether the kernel tells of entries without a module being loaded
// for it. It is to be asked once (see procfs.HasModule).
func Answers() bool { return procfs.HasModule("nf_conntrack_netlink", "ctnetlink_get_conntrack") }
