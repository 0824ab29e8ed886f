package metrics

import (
	"cmp"
	"iter"
	"slices"
	"time"
)

// stay is how long what has series keeps them at least, counted from when it last
// was worth them, or, where another wants its place, from when it got them.
const stay = 10 * time.Minute

// keeper chooses what of a list has series: a plain top 10 would begin a thousand
// of them an hour where destinations come and go, and each is a file's worth of
// work for who stores them. A place changes hands at most once in a stay, so that
// at most places × 6 begin in an hour.
type keeper[K comparable, V any] struct {
	places int
	// worth is the share, from 0 to 1, from which one gets a place.
	worth float64
	share func(*V) float64
	kept  []place[K]
}

// place is held by what has series, since some time, and was last worth it then.
type place[K comparable] struct {
	key          K
	since, worth time.Duration
}

// entry is what has series, with the figures of now: none where it is not there.
type entry[K comparable, V any] struct {
	key   K
	value V
}

// choose gives what has series now. Of those that have one key, the first counts.
func (k *keeper[K, V]) choose(now time.Duration, all iter.Seq2[K, V]) []entry[K, V] {
	seen := make(map[K]V) // that has a place, or is worth one
	var worthy []K
	for key, v := range all {
		at, share := k.at(key), k.share(&v)
		if _, again := seen[key]; again || at < 0 && share < k.worth {
			continue
		}
		seen[key] = v
		if share >= k.worth && at >= 0 {
			k.kept[at].worth = now
		} else if share >= k.worth {
			worthy = append(worthy, key)
		}
	}
	share := func(key K) float64 {
		v := seen[key]
		return k.share(&v)
	}
	k.kept = slices.DeleteFunc(k.kept, func(p place[K]) bool { return now-p.worth >= stay })
	slices.SortStableFunc(worthy, func(a, b K) int { return cmp.Compare(share(b), share(a)) })
	for _, key := range worthy {
		if !k.admit(place[K]{key, now, now}, share) {
			break // nor has one that holds less
		}
	}
	chosen := make([]entry[K, V], len(k.kept))
	for i, p := range k.kept {
		chosen[i] = entry[K, V]{p.key, seen[p.key]}
	}
	return chosen
}

// admit gives a place to a newcomer: a free one, or that of who holds least and
// has had it for long enough.
func (k *keeper[K, V]) admit(newcomer place[K], share func(K) float64) bool {
	if len(k.kept) < k.places {
		k.kept = append(k.kept, newcomer)
		return true
	}
	weakest, least := -1, share(newcomer.key)
	for i, p := range k.kept {
		if held := share(p.key); newcomer.since-p.since >= stay && held < least {
			weakest, least = i, held
		}
	}
	if weakest >= 0 {
		k.kept[weakest] = newcomer
	}
	return weakest >= 0
}

func (k *keeper[K, V]) at(key K) int {
	return slices.IndexFunc(k.kept, func(p place[K]) bool { return p.key == key })
}
