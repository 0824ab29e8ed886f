//go:build amd64 || arm64

package tables

import (
	"testing"

	"ephtop/source/netlab"
)

// The self-test asks for no address that may be missing: whoever traces the
// namespace would take that for a program in trouble.
func TestSelfTestWithoutIPv6OnLoopback(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "")
	h.Sysctl("net.ipv6.conf.lo.disable_ipv6", "1")
	var c cast
	defer c.close()
	h.Must(func() error {
		_, err := c.bound6()
		return err
	})
}
