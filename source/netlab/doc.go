// Package netlab gives a test hosts of its own: network namespaces with their
// own range of ports, their own sockets, and nothing but a loopback interface.
// It is for tests only, needs root on Linux, and skips the test elsewhere.
//
// A namespace belongs to one locked thread and dies with it, so nothing is
// left behind, not even by a test that panics.
package netlab
