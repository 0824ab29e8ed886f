// Package sysctl reads the system's rules for ephemeral ports into
// [source.Settings]: /proc/sys on Linux, sysctl on macOS and FreeBSD, netsh on
// Windows, where the ports that are excluded are the reserved ones. Where the
// range cannot be read, the system's default is assumed and the moment says so.
//
// It depends on packages source and procfs, and on the system. It must not know what a socket
// is doing, or what the settings mean for the ports in use.
package sysctl
