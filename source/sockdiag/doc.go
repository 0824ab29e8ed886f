// Package sockdiag lists the TCP and UDP sockets of this network namespace
// through the kernel's sock_diag netlink interface (sock_diag(7)), and decodes
// the replies straight into [source.Socket].
//
// It depends on package source and golang.org/x/sys/unix. It knows nothing of
// processes (package owner) or of the ephemeral range (package sysctl).
//
// A dump is a request and the datagrams that answer it. Each holds messages,
// one a socket, and is decoded where it was received, for a netlink library
// would allocate for every row:
//
//	request   nlmsghdr │ which protocol, family and states
//	reply     nlmsghdr │ inet_diag_msg │ attributes      a socket
//	          nlmsghdr │ inet_diag_msg │ attributes      …
//	          nlmsghdr NLMSG_DONE │ errno                the end
//
//	inet_diag_msg, by the byte; ports and addresses in network order, else native
//	 0  family   state    timer    retransmits
//	 4  local port        remote port
//	 8  local address, 16 bytes
//	24  remote address, 16 bytes
//	40  interface         44  cookie, 8 bytes
//	52  timer's time left 56  receive queue
//	60  send queue        64  uid
//	68  inode             72  attributes: of these, the cgroup's id is read
//
// TCP takes one request for both address families (TCPDIAG_GETSOCK, whose
// family may be AF_UNSPEC), UDP one a family. A dump that the kernel says it
// interrupted is taken again, so that what is returned is one moment as far as
// the kernel can give one: it walks its hash tables while connections come and
// go.
package sockdiag
