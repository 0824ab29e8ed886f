package model

import (
	"math/rand/v2"
	"testing"

	"ephtop/source"
)

// Whatever becomes of the order, each socket that stays is known again, and
// none that is new is.
func TestRecall(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(r *rand.Rand, ids []uint64) []uint64
	}{
		{"nothing changes", func(_ *rand.Rand, ids []uint64) []uint64 { return ids }},
		{"some go, some come", churned(20)},
		{"most go, as many come", churned(1)},
		{"a long stretch goes", func(_ *rand.Rand, ids []uint64) []uint64 { return append(ids[:50:50], ids[len(ids)-50:]...) }},
		{"another order", func(r *rand.Rand, ids []uint64) []uint64 {
			r.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
			return ids
		}},
		{"all go", func(*rand.Rand, []uint64) []uint64 { return nil }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var rec recall
			var ids []uint64
			for i := range 6000 {
				ids = append(ids, uint64(i+1))
			}
			since := map[uint64]int64{}
			for turn := range int64(5) {
				recallTurn(t, &rec, ids, since, turn)
				ids = c.change(r, append([]uint64(nil), ids...))
			}
		})
	}
}

// recallTurn checks one snapshot of sockets with these cookies.
func recallTurn(t *testing.T, rec *recall, ids []uint64, since map[uint64]int64, turn int64) {
	t.Helper()
	sockets := make([]source.Socket, len(ids))
	for i, id := range ids {
		sockets[i].Cookie = id
	}
	rec.begin(sockets, new(recallScratch))
	next := map[uint64]int64{}
	for i, id := range ids {
		first, known := since[id]
		if rec.isNew(i) == known {
			t.Fatalf("turn %d, socket %d: new is %v, want %v", turn, id, !known, known)
		}
		if !known {
			rec.next[i].since, first = turn, turn
		}
		if rec.next[i].since != first {
			t.Fatalf("turn %d, socket %d: since %d, want %d", turn, id, rec.next[i].since, first)
		}
		next[id] = first
	}
	clear(since)
	for id, first := range next {
		since[id] = first
	}
}

// churned replaces every n-th socket, on average, by a new one in its place or
// elsewhere.
func churned(n int) func(*rand.Rand, []uint64) []uint64 {
	next := uint64(1 << 20)
	return func(r *rand.Rand, ids []uint64) []uint64 {
		var out []uint64
		for _, id := range ids {
			if r.IntN(n+1) != 0 {
				out = append(out, id)
			}
			if r.IntN(n+1) == 0 {
				next++
				out = append(out, next)
			}
		}
		return out
	}
}
