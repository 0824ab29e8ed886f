package recording

import (
	"reflect"

	"ephtop/source"
)

// entry is a process as it is recorded; one whose id is 0 is none.
type entry struct {
	ID uint32 `json:"id"`
	source.Process
}

// processes follows the processes from moment to moment. Their ids are as
// those of sockets.
type processes struct {
	entries []entry
	turns   []uint32 // the last moment that had it, by the same index
	free    []uint32
	index   map[source.ProcessKey]uint32
	turn    uint32

	ids []uint32 // of the moment's processes, in its order
	// What the last match found.
	ended   []uint32 // indices
	changed []entryChange
}

// entryChange is a process that is new (was is empty) or changed.
type entryChange struct {
	index uint32
	was   source.Process
}

// reset forgets all processes.
func (t *processes) reset() {
	if t.index == nil {
		t.index = make(map[source.ProcessKey]uint32)
	}
	clear(t.index)
	t.entries, t.turns, t.free = t.entries[:0], t.turns[:0], t.free[:0]
}

// match finds the processes of a moment among those of the one before.
func (t *processes) match(list []source.Process) {
	t.turn++
	t.ids, t.ended, t.changed = t.ids[:0], t.ended[:0], t.changed[:0]
	for i := range list {
		p := &list[i]
		key := p.Key()
		n, known := t.index[key]
		if !known || t.turns[n] == t.turn {
			n = t.add(key)
		}
		if e := &t.entries[n]; e.ID == 0 || e.Process != *p {
			t.changed = append(t.changed, entryChange{n, e.Process})
			*e = entry{n + 1, *p}
		}
		t.turns[n] = t.turn
		t.ids = append(t.ids, n+1)
	}
	for n := range t.entries {
		if e := &t.entries[n]; e.ID != 0 && t.turns[n] != t.turn {
			t.ended = append(t.ended, uint32(n))
			key := e.Key()
			if t.index[key] == uint32(n) {
				delete(t.index, key)
			}
			*e = entry{}
		}
	}
	t.free = append(t.free, t.ended...)
}

// add makes room for a process.
func (t *processes) add(key source.ProcessKey) uint32 {
	n := uint32(len(t.entries))
	if k := len(t.free); k > 0 {
		n, t.free = t.free[k-1], t.free[:k-1]
	} else {
		t.entries, t.turns = append(t.entries, entry{}), append(t.turns, 0)
	}
	t.index[key] = n
	return n
}

// textBytes is how long the texts of the processes are, made clean.
func textBytes(entries []entry) int {
	total := 0
	for i := range entries {
		p := reflect.ValueOf(&entries[i].Process).Elem()
		for f := range p.NumField() {
			if v := p.Field(f); v.Kind() == reflect.String {
				total += len(clean(v.String()))
			}
		}
	}
	return total
}
