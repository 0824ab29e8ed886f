package trace

// Options say what to trace.
type Options struct {
	// NetNS is the file of the network namespace whose events are wanted, such
	// as /proc/PID/ns/net; "" is the namespace of the thread that calls Open.
	NetNS string
	// BufferKB is the size of the kernel's buffer for each CPU in kilobytes,
	// about 13 events each; 0 takes what holds 10,000 events a second for some
	// seconds, and at most 16 MB for all CPUs together (at least 64 KB each).
	BufferKB int
}
