package owner

import (
	"math/rand"
	"testing"
)

// TestTableAgreesWithMap does the same to a table and to a map, with inodes
// close together and far apart, and compares them after each sweep.
func TestTableAgreesWithMap(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewSource(1))
	var table table
	reference := make(map[uint32]entry)
	for poll := uint32(1); poll <= 300; poll++ {
		base := random.Uint32()
		for range random.Intn(2000) {
			inode := base + uint32(random.Intn(3000))
			if random.Intn(3) == 0 {
				inode = random.Uint32()
			}
			if inode == 0 {
				continue
			}
			want := entry{inode: inode, holder: int32(inode % 7), seen: poll - uint32(random.Intn(2)), since: poll}
			reference[inode] = want
			*table.put(inode) = want
		}
		table.sweep(poll)
		for inode, want := range reference {
			got := table.find(inode)
			switch {
			case want.seen != poll:
				delete(reference, inode)
				if got != nil {
					t.Fatalf("poll %d: inode %d is still there", poll, inode)
				}
			case got == nil || *got != want:
				t.Fatalf("poll %d: inode %d is %+v, want %+v", poll, inode, got, want)
			}
		}
		if table.used != len(reference) {
			t.Fatalf("poll %d: %d inodes, want %d", poll, table.used, len(reference))
		}
	}
}

func TestTableWithoutEntries(t *testing.T) {
	t.Parallel()
	var table table
	if table.find(1) != nil || table.find(0) != nil {
		t.Error("an empty table finds something")
	}
	table.put(1)
	if table.find(0) != nil {
		t.Error("inode 0, the mark of a free place, is found")
	}
}
