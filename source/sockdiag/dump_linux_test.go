package sockdiag

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
)

// open opens a Dumper inside the host's namespace.
func open(t testing.TB, h *netlab.Host) *Dumper {
	t.Helper()
	var d *Dumper
	h.Must(func() (err error) { d, err = Open(); return err })
	t.Cleanup(func() { d.Close() })
	return d
}

func dump(t testing.TB, d *Dumper) []source.Socket {
	t.Helper()
	rows, report, err := d.Dump(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if report.Interrupted {
		t.Log("the kernel calls the dump inconsistent")
	}
	return rows
}

// floor receives a TCP dump and throws it away: what no program can beat.
func floor(d *Dumper, buf []byte) error {
	d.seq++
	if err := d.conn.send(requests[0].append(nil, d.seq)); err != nil {
		return err
	}
	for {
		n, err := d.conn.receive(buf)
		if err != nil {
			return err
		}
		if binary.NativeEndian.Uint16(buf[4:]) == nlmsgDone || n < rowLen {
			return nil
		}
	}
}

func BenchmarkDump(b *testing.B) {
	for _, n := range []int{300, 20000} {
		h := netlab.New(b, "1024 65535")
		h.Sysctl("net.ipv4.tcp_max_tw_buckets", "300000")
		listener := h.Listen("127.0.0.1:80")
		if err := h.TimeWait(listener, "127.0.0.1:80", n); err != nil {
			b.Fatal(err)
		}
		d := open(b, h)
		for _, size := range []int{16, 32, 64, 256} {
			b.Run(fmt.Sprintf("floor/sockets=%d/buffer=%dk", n, size), func(b *testing.B) {
				buf := make([]byte, size<<10)
				for b.Loop() {
					if err := floor(d, buf); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("dump/sockets=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			var rows []source.Socket
			for b.Loop() {
				var err error
				if rows, _, err = d.Dump(context.Background(), rows[:0]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rows)), "sockets")
		})
	}
	_ = unix.AF_INET
}
