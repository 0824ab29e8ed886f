// Package sockdiag lists the TCP and UDP sockets of this network namespace
// through the kernel's sock_diag netlink interface (sock_diag(7)), and decodes
// the replies straight into [source.Socket].
//
// It depends on package source and golang.org/x/sys/unix. It knows nothing of
// processes (package owner) or of the ephemeral range (package sysctl).
//
// TCP takes one request for both address families, UDP one a family. A dump
// that the kernel says it interrupted is taken again, so that what is returned
// is one moment as far as the kernel can give one: it walks its hash tables
// while connections come and go.
package sockdiag
