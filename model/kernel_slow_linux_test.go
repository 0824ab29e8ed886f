package model_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/live"
	"ephtop/source/netlab"
)

// BenchmarkKernelSlowConnect measures connect() at several fills of several
// ranges, beside what the model says: slow is 1 where it calls it slow.
func BenchmarkKernelSlowConnect(b *testing.B) {
	for _, c := range []struct {
		ports string
		fills []int
		tries int
	}{
		{"32768 60999", []int{0, 7000, 13900, 14316, 20000, 27900}, 101},
		{"40000 42999", []int{0, 1400, 1550, 2900}, 41},
		{"40000 40099", []int{0, 30, 60, 90}, 9},
	} {
		h := netlab.New(b, c.ports)
		h.Sysctl("net.ipv4.tcp_tw_reuse", "0")
		listener := h.Listen("127.0.0.1:80")
		filled := 0
		for _, fill := range c.fills {
			b.Run(fmt.Sprintf("ports=%s/fill=%d", c.ports, fill), func(b *testing.B) {
				if filled > fill {
					b.Skip("filled already")
				}
				if err := h.TimeWait(listener, "127.0.0.1:80", fill-filled); err != nil {
					b.Fatal(err)
				}
				filled = fill + c.tries
				took := medianConnect(b, h, listener, c.tries)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(took.Nanoseconds())/1000, "µs")
				slow := 0.0
				if callsSlow(b, h) {
					slow = 1
				}
				b.ReportMetric(slow, "slow")
			})
		}
	}
}

// callsSlow is what the model says of the only destination.
func callsSlow(b *testing.B, h *netlab.Host) bool {
	var m source.Moment
	h.Must(func() error {
		src, err := live.Open(live.Options{Kind: live.Sockdiag, Netns: live.OwnNetns})
		if err != nil {
			return err
		}
		defer src.Close()
		return src.Poll(context.Background(), &m)
	})
	var o model.Overview
	model.NewFleet(model.Options{}).Update(&m, &o)
	return o.States[0].TCP.Pressure.Worst().SlowConnect()
}

// medianConnect is how long connect() takes; each leaves a TIME_WAIT.
func medianConnect(b *testing.B, h *netlab.Host, listener, tries int) time.Duration {
	var times []time.Duration
	for range tries {
		h.Must(func() error {
			start := time.Now()
			fd, err := netlab.ConnectHere("127.0.0.1:80")
			times = append(times, time.Since(start))
			if err != nil {
				return err
			}
			return netlab.FinishHere(listener, fd)
		})
	}
	slices.Sort(times)
	return times[tries/2]
}
