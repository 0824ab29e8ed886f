//go:build amd64 || arm64

package tables

import (
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source/netlab"
)

// Ports that are bound in a VRF block only what is in it, and those outside only
// what is outside.
func TestVRF(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e *Engine) {
		h := netlab.New(t, "40000 40000")
		index := addVRF(t, h)
		s := &stage{keeper: keeper{t: t}}
		t.Cleanup(s.close)
		inside := func() int {
			fd := s.tcp()
			s.must(unix.BindToDevice(fd, "vrf0"))
			return fd
		}
		blocked := func() (out, in bool) {
			got := snapshot(t, walk(t, e, h), h)
			for _, vrf := range got.VRFs {
				if vrf.Interface != index {
					t.Errorf("a VRF of interface %d, want %d", vrf.Interface, index)
				}
				in = in || slices.Contains(vrf.Blocked, only)
			}
			return slices.Contains(got.Blocked, only), in
		}
		refused := func(socket func() int) bool {
			var err error
			h.Do(func() error {
				fd := socket()
				defer s.shut(fd)
				s.must(unix.SetNonblock(fd, true))
				err = unix.Connect(fd, v4(1, 70)) // where nobody listens: it looks for a port first
				return nil
			})
			if err != unix.EADDRNOTAVAIL && err != unix.EINPROGRESS && err != unix.ECONNREFUSED {
				t.Error(err)
			}
			return err == unix.EADDRNOTAVAIL
		}
		outside := func() int { return s.tcp() }
		for _, test := range []struct {
			name    string
			bind    func() int
			in, out bool
		}{{"inside", inside, true, false}, {"outside", outside, false, true}} {
			var fd int
			h.Must(func() error { fd = test.bind(); return unix.Bind(fd, v4(1, only)) })
			out, in := blocked()
			if out != test.out || in != test.in {
				t.Errorf("bound %s: blocked outside %v, inside %v", test.name, out, in)
			}
			if test.in && !refused(inside) || test.out && !refused(outside) {
				t.Errorf("bound %s: connect() there works", test.name)
			}
			if test.in && refused(outside) || test.out && refused(inside) {
				t.Errorf("bound %s: connect() on the other side is refused", test.name)
			}
			h.Must(func() error { s.shut(fd); return nil })
		}
	})
}

// addVRF makes the device vrf0, up and with the address of the loopback
// interface, and returns its index.
func addVRF(t *testing.T, h *netlab.Host) uint32 {
	t.Helper()
	var index uint32
	err := h.Do(func() error {
		table := binary.NativeEndian.AppendUint32(nil, 10)
		kind := slices.Concat(attribute(unix.IFLA_INFO_KIND, []byte("vrf\x00")), attribute(unix.IFLA_INFO_DATA, attribute(1, table))) // IFLA_VRF_TABLE
		link := make([]byte, unix.SizeofIfInfomsg)
		binary.NativeEndian.PutUint32(link[8:], unix.IFF_UP)
		binary.NativeEndian.PutUint32(link[12:], unix.IFF_UP)
		link = slices.Concat(link, attribute(unix.IFLA_IFNAME, []byte("vrf0\x00")), attribute(unix.IFLA_LINKINFO, kind))
		if err := route(unix.RTM_NEWLINK, link); err != nil {
			return err
		}
		device, err := net.InterfaceByName("vrf0")
		if err != nil {
			return err
		}
		index = uint32(device.Index)
		address := binary.NativeEndian.AppendUint32([]byte{unix.AF_INET, 8, 0, unix.RT_SCOPE_HOST}, index)
		ip := []byte{127, 0, 0, 1}
		return route(unix.RTM_NEWADDR, slices.Concat(address, attribute(unix.IFA_LOCAL, ip), attribute(unix.IFA_ADDRESS, ip)))
	})
	if errors.Is(err, unix.EOPNOTSUPP) {
		t.Skipf("this kernel has no VRF: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func attribute(kind uint16, value []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
	return append(b, make([]byte, -len(b)&3)...)
}

// route asks rtnetlink to make something.
func route(kind uint16, body []byte) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	m := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	m = binary.NativeEndian.AppendUint16(m, kind)
	m = binary.NativeEndian.AppendUint16(m, unix.NLM_F_REQUEST|unix.NLM_F_ACK|unix.NLM_F_CREATE)
	m = append(m, make([]byte, 8)...)
	if err := unix.Sendto(fd, append(m, body...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	n, err := unix.Read(fd, answer)
	if err != nil {
		return err
	}
	if n < unix.SizeofNlMsghdr+4 {
		return errors.New("a short answer")
	}
	if errno := int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); errno != 0 {
		return unix.Errno(-errno)
	}
	return nil
}
