package recording_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// crowdedMoment has namespaces with so many sockets.
func crowdedMoment(at time.Duration, sizes ...int) *source.Moment {
	m := &source.Moment{Time: epoch.Add(at), Host: "db1"}
	for i, n := range sizes {
		s := m.Add(source.Scope{Netns: uint64(1 + i), Name: fmt.Sprint("pod-", i), Kind: source.ScopePod})
		s.Settings = source.Settings{Range: source.PortRange{Low: 1, High: 1000}}
		s.Sockets = make([]source.Socket, n)
		for j := range s.Sockets {
			s.Sockets[j] = source.Socket{Proto: source.TCP, Cookie: uint64(1 + j), Process: source.NoProcess}
		}
	}
	return m
}

// recordedSizes are the sockets of each namespace that was recorded, and the
// bounds of those that were summed up.
func recordedSizes(m *source.Moment) map[string]int {
	sizes := make(map[string]int)
	for _, s := range m.Snapshots {
		sizes[s.Scope.Name] = len(s.Sockets)
	}
	for _, q := range m.Quiet {
		sizes[q.Scope.Name] = -q.Bound
	}
	return sizes
}

// Beyond 50,000 sockets beside those of the largest namespace, the small ones
// are summed up, and until the next full moment the same ones.
func TestTheSocketsOfVeryManyNamespacesAreSummedUp(t *testing.T) {
	t.Parallel()
	moments := []*source.Moment{
		crowdedMoment(0, 100, 30_000, 20_000, 60_000, 200),
		crowdedMoment(time.Second, 150, 30_000, 20_000, 60_000, 140),
		crowdedMoment(2*time.Second, 150, 30_000, 19_500, 60_000, 140),
	}
	moments[0].Snapshots[2].Sockets = moments[0].Snapshots[2].Sockets[:19_800] // room for 200 more
	read, err := readAll(t, record(t, moments))
	if err != io.EOF {
		t.Fatal(err)
	}
	for i, want := range []map[string]int{
		{"pod-0": -100, "pod-1": 30_000, "pod-2": 19_800, "pod-3": 60_000, "pod-4": 200},
		{"pod-0": -150, "pod-1": 30_000, "pod-2": 20_000, "pod-3": 60_000, "pod-4": -140},
		{"pod-0": 150, "pod-1": 30_000, "pod-2": 19_500, "pod-3": 60_000, "pod-4": 140},
	} {
		if d := cmp.Diff(want, recordedSizes(read[i])); d != "" {
			t.Errorf("moment %d: %s", i, d)
		}
		if said, summed := len(read[i].Limits) == 1, len(read[i].Quiet) > 0; said != summed {
			t.Errorf("moment %d: limits %v", i, read[i].Limits)
		}
	}
	if l := read[0].Limits[0]; l.Code != source.LimitNetns || l.Detail != "1 their sockets are too many for a recording" {
		t.Errorf("the limit is %+v", l)
	}
	if len(moments[0].Snapshots) != 5 || len(moments[0].Limits) != 0 {
		t.Error("the writer changed the moment")
	}
}

// An inode number comes back at once: with another cookie, it is another
// namespace, of which nothing is carried over.
func TestANamespaceWhoseNumberComesBackBeginsAnew(t *testing.T) {
	t.Parallel()
	var moments []*source.Moment
	for i, cookie := range []uint64{7, 7, 0, 8} {
		m := crowdedMoment(time.Duration(i)*time.Second, 1)
		m.Snapshots[0].Scope.Cookie, m.Snapshots[0].Blocked = cookie, []uint16{uint16(40 + i)}
		moments = append(moments, m)
	}
	read, err := readAll(t, record(t, moments))
	if err != io.EOF {
		t.Fatal(err)
	}
	for i := range moments {
		if d := differ(moments[i], read[i]); d != "" {
			t.Errorf("moment %d: %s", i, d)
		}
	}
}
