package model_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/live"
	"ephtop/source/netlab"
)

// BenchmarkKernelSlowConnect measures connect() shortly before and shortly
// after the model calls it slow, in the default range: the ratio of the
// medians is what the words stand for.
func BenchmarkKernelSlowConnect(b *testing.B) {
	const half, margin, tries = 14116, 200, 101
	h := netlab.New(b, "32768 60999")
	h.Sysctl("net.ipv4.tcp_tw_reuse", "0")
	listener := h.Listen("127.0.0.1:80")
	var src source.Source
	h.Must(func() (err error) {
		src, err = live.Open(live.Options{Kind: live.Sockdiag, Netns: live.OwnNetns})
		return err
	})
	defer src.Close()
	slow := func() bool {
		var snap source.Moment
		h.Must(func() error { return src.Poll(context.Background(), &snap) })
		var o model.Overview
		model.NewFleet(model.Options{}).Update(&snap, &o)
		st := o.States[0]
		return st.TCP.Pressure.Tuples[0].SlowConnect()
	}
	median := func() time.Duration {
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
	if err := h.TimeWait(listener, "127.0.0.1:80", half-margin); err != nil {
		b.Fatal(err)
	}
	before := median()
	if slow() {
		b.Fatal("called slow below half of the range")
	}
	if err := h.TimeWait(listener, "127.0.0.1:80", margin); err != nil {
		b.Fatal(err)
	}
	if !slow() {
		b.Fatal("not called slow above half of the range")
	}
	after := median()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(before.Nanoseconds())/1000, "µs-before")
	b.ReportMetric(float64(after.Nanoseconds())/1000, "µs-after")
	b.ReportMetric(float64(after)/float64(before), "x-slower")
}
