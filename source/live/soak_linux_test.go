package live

import (
	"context"
	"flag"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/netlab"
)

var soak = flag.Duration("soak", 0, "how long TestSoak goes on, as in 10m; 0 skips it")

// TestSoak polls a host on which 2,000 connections a second come and go: each
// socket that lives through a poll has its owner, and memory does not grow.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("takes long: run it with -args -soak 10m")
	}
	c := netlab.NewCrowd(t, 8000, 0)
	var src source.Source
	c.Host.Must(func() (err error) { src, err = Open(Options{Kind: Sockdiag}); return err })
	defer src.Close()
	fleet := model.NewFleet(model.Options{})
	var snap source.Moment
	var o model.Overview
	before := make(map[uint64]bool)
	polls, lost, early := 0, 0, 0
	start := time.Now()
	for time.Since(start) < *soak {
		c.Churn(2000)
		c.Host.Must(func() error { return src.Poll(context.Background(), &snap) })
		fleet.Update(&snap, &o)
		lost += unowned(&snap, before)
		polls++
		if early == 0 && time.Since(start) > *soak/4 {
			early = resident(t)
		}
		time.Sleep(time.Until(start.Add(time.Duration(polls) * time.Second)))
	}
	late := resident(t)
	t.Logf("%d polls, resident %d KB after a quarter, %d KB at the end", polls, early>>10, late>>10)
	if lost > 0 {
		t.Errorf("%d sockets lived through a poll and had no owner", lost)
	}
	if late > early+early/10 {
		t.Errorf("resident memory grew from %d to %d KB", early>>10, late>>10)
	}
}

// unowned counts the sockets without a process that were there one poll ago.
func unowned(snap *source.Moment, before map[uint64]bool) int {
	n := 0
	for i := range snap.Snapshots[0].Sockets {
		s := &snap.Snapshots[0].Sockets[i]
		if s.HasOwner() && s.Process == source.NoProcess && before[s.Cookie] {
			n++
		}
	}
	clear(before)
	for i := range snap.Snapshots[0].Sockets {
		before[snap.Snapshots[0].Sockets[i].Cookie] = true
	}
	return n
}

// resident is this process's resident memory in bytes, without garbage.
func resident(t *testing.T) int {
	runtime.GC()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
