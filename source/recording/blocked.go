package recording

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ephtop/source"
)

// A host in trouble blocks tens of thousands of ports and changes hundreds of
// them each second. So what is written of them is what changed.

// ports are port numbers that rise. As JSON, three or more in a row are a pair
// of the first and the last one.
type ports []uint16

// rise tells whether a list holds each port once, from low to high.
func rise(list []uint16) bool {
	for i := range list[min(1, len(list)):] {
		if list[i] >= list[i+1] {
			return false
		}
	}
	return true
}

// difference appends to each list what only one of was and is has.
func difference(blocked, freed ports, was, is []uint16) (ports, ports) {
	for len(was) > 0 && len(is) > 0 {
		switch {
		case was[0] < is[0]:
			freed, was = append(freed, was[0]), was[1:]
		case was[0] > is[0]:
			blocked, is = append(blocked, is[0]), is[1:]
		default:
			was, is = was[1:], is[1:]
		}
	}
	return append(blocked, is...), append(freed, was...)
}

// apply gives list with the changes, in memory of its own.
func apply(list []uint16, blocked, freed ports) ([]uint16, error) {
	if len(blocked) == 0 && len(freed) == 0 {
		return list, nil
	}
	next := make([]uint16, 0, max(0, len(list)+len(blocked)-len(freed)))
	for len(list) > 0 || len(blocked) > 0 {
		switch {
		case len(blocked) == 0 || len(list) > 0 && list[0] < blocked[0]:
			if len(freed) > 0 && freed[0] == list[0] {
				freed = freed[1:]
			} else {
				next = append(next, list[0])
			}
			list = list[1:]
		case len(list) > 0 && list[0] == blocked[0]:
			return nil, fmt.Errorf("port %d is blocked twice", blocked[0])
		default:
			next, blocked = append(next, blocked[0]), blocked[1:]
		}
	}
	if len(freed) > 0 {
		return nil, fmt.Errorf("port %d was not blocked", freed[0])
	}
	return next, nil
}

// appendChanges appends the fields that make was what is is.
func (w *Writer) appendChanges(b []byte, was, is []uint16) []byte {
	w.blocked, w.freed = difference(w.blocked[:0], w.freed[:0], was, is)
	return appendPorts(appendPorts(b, "blocked", w.blocked), "freed", w.freed)
}

// appendBlocked appends what changed of the blocked ports of a namespace, and
// keeps them.
func (w *Writer) appendBlocked(b []byte, st *stream, s *source.Snapshot) []byte {
	b = w.appendChanges(b, st.blocked, s.Blocked)
	st.blocked = append(st.blocked[:0], s.Blocked...)
	if sameVRFs(st.vrfs, s.VRFs) {
		return b
	}
	begin, opened := len(b), false
	change := func(in uint32, was, is []uint16) {
		if slices.Equal(was, is) {
			return
		}
		sep := `,{"interface":`
		if !opened {
			sep, opened = `,"vrfs":[{"interface":`, true
		}
		b = strconv.AppendUint(append(b, sep...), uint64(in), 10)
		b = append(w.appendChanges(b, was, is), '}')
	}
	for _, v := range st.vrfs {
		change(v.Interface, v.Blocked, blockedIn(s.VRFs, v.Interface))
	}
	for _, v := range s.VRFs {
		if blockedIn(st.vrfs, v.Interface) == nil {
			change(v.Interface, nil, v.Blocked)
		}
	}
	if len(b) > begin {
		b = append(b, ']')
	}
	st.vrfs = cloneVRFs(s.VRFs)
	return b
}

func sameVRFs(a, b []source.VRF) bool {
	return slices.EqualFunc(a, b, func(a, b source.VRF) bool {
		return a.Interface == b.Interface && slices.Equal(a.Blocked, b.Blocked)
	})
}

func cloneVRFs(list []source.VRF) []source.VRF {
	list = slices.Clone(list)
	for i := range list {
		list[i].Blocked = slices.Clone(list[i].Blocked)
	}
	return list
}

// blockedIn gives the blocked ports of a VRF, nil if it has none.
func blockedIn(list []source.VRF, in uint32) []uint16 {
	for i := range list {
		if list[i].Interface == in {
			return list[i].Blocked
		}
	}
	return nil
}

// appendPorts appends a field with ports, if there are any.
func appendPorts(b []byte, name string, list ports) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(strconv.AppendQuote(append(b, ','), name), ':')
	sep := byte('[')
	for i := 0; i < len(list); {
		b, sep = append(b, sep), ','
		last := i
		for last+1 < len(list) && list[last+1] == list[last]+1 {
			last++
		}
		if last < i+2 {
			b = strconv.AppendUint(b, uint64(list[i]), 10)
			i++
			continue
		}
		b = strconv.AppendUint(append(b, '['), uint64(list[i]), 10)
		b = strconv.AppendUint(append(b, ','), uint64(list[last]), 10)
		b = append(b, ']')
		i = last + 1
	}
	return append(b, ']')
}

// readPorts reads what appendPorts wrote.
func readPorts(dec *jsontext.Decoder, list *ports) error {
	*list = (*list)[:0]
	next := 0 // the least that may come
	err := each(dec, 1<<16, func() error {
		span := [2]uint16{}
		into := any(&span)
		if dec.PeekKind() == '0' {
			into = &span[0]
		}
		if err := json.UnmarshalDecode(dec, into); err != nil {
			return err
		}
		span[1] = max(span[0], span[1])
		if int(span[0]) < next {
			return fmt.Errorf("port %d out of order", span[0])
		}
		next = int(span[1]) + 1
		for p := int(span[0]); p < next; p++ {
			*list = append(*list, uint16(p))
		}
		return nil
	})
	return err
}

// vrfLine is what changed in a VRF.
type vrfLine struct {
	Interface uint32 `json:"interface"`
	Blocked   ports  `json:"blocked"`
	Freed     ports  `json:"freed"`
}

// change applies changes, up to the bound of all namespaces.
func (m *moment) change(list []uint16, blocked, freed ports) ([]uint16, error) {
	if m.ports += len(blocked); m.ports > maxBlocked {
		return nil, fmt.Errorf("more than %d blocked ports", maxBlocked)
	}
	return apply(list, blocked, freed)
}

// readVRFs reads the VRFs in which something changed.
func (m *moment) readVRFs(dec *jsontext.Decoder, _ *vrfs) error {
	head := &m.scope.head
	list := slices.Clone(head.VRFs)
	at := make(map[uint32]int, len(list))
	for i := range list {
		at[list[i].Interface] = i
	}
	err := each(dec, maxBlocked, func() error {
		var line vrfLine
		err := json.UnmarshalDecode(dec, &line)
		if err != nil {
			return err
		}
		i, known := at[line.Interface]
		if !known {
			i, list = len(list), append(list, source.VRF{Interface: line.Interface})
			at[line.Interface] = i
		}
		if list[i].Blocked, err = m.change(list[i].Blocked, line.Blocked, line.Freed); err != nil {
			return fmt.Errorf("VRF %d: %w", line.Interface, err)
		}
		return nil
	})
	list = slices.DeleteFunc(list, func(v source.VRF) bool { return len(v.Blocked) == 0 })
	slices.SortFunc(list, func(a, b source.VRF) int { return cmp.Compare(a.Interface, b.Interface) })
	head.VRFs = list
	return err
}

// checkBlocked tells whether the blocked ports of a namespace make sense, and
// adds their number to n.
func checkBlocked(s *source.Snapshot, n *int) error {
	*n += len(s.Blocked)
	ok := rise(s.Blocked)
	for i, v := range s.VRFs {
		*n += len(v.Blocked) + 1
		ok = ok && rise(v.Blocked) && len(v.Blocked) > 0 && (i == 0 || s.VRFs[i-1].Interface < v.Interface)
	}
	if *n > maxBlocked {
		return fmt.Errorf("more than %d blocked ports: %w", maxBlocked, ErrTooLarge)
	}
	if !ok {
		return errors.New("blocked ports or VRFs that do not rise")
	}
	return nil
}
