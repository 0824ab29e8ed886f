//go:build amd64 || arm64

package tables

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"ephtop/source"
)

// Our memory is laid out as the objects': each member by its offset and size.
func TestMemoryIsThatOfTheObjects(t *testing.T) {
	t.Parallel()
	for _, v := range variants {
		spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(v.object))
		if err != nil {
			t.Fatal(err)
		}
		sameLayout(t, v.name+" memory", spec.Variables["shared"].Type.Type, reflect.TypeFor[memory]())
		told := spec.Variables["layout"].Type.Type.(*btf.Pointer).Target
		sameLayout(t, v.name+" event", told, reflect.TypeFor[event]())
	}
}

// sameLayout compares a type of C with one of Go, whose names are the same but
// for the way words are joined, or padding.
func sameLayout(t *testing.T, path string, c btf.Type, g reflect.Type) {
	t.Helper()
	if size, err := btf.Sizeof(c); err != nil || uintptr(size) != g.Size() {
		t.Errorf("%s: %d bytes in C, %d in Go (%v)", path, size, g.Size(), err)
		return
	}
	switch c := btf.UnderlyingType(c).(type) {
	case *btf.Array:
		if g.Kind() == reflect.Array && g != reflect.TypeFor[source.Addr]() {
			sameLayout(t, path+"[]", c.Type, g.Elem())
		}
	case *btf.Struct:
		if g.NumField() != len(c.Members) {
			t.Errorf("%s: %d members in C, %d in Go", path, len(c.Members), g.NumField())
			return
		}
		for i, m := range c.Members {
			f := g.Field(i)
			if m.Offset.Bytes() != uint32(f.Offset) || !sameName(m.Name, f.Name) {
				t.Errorf("%s: %s at %d in C, %s at %d in Go", path, m.Name, m.Offset.Bytes(), f.Name, f.Offset)
			}
			sameLayout(t, path+"."+m.Name, m.Type, f.Type)
		}
	}
}

// otherNames are those that Go has keywords for, or shorter words.
var otherNames = map[string]string{"interface": "iface", "own": "ownTables", "descriptors": "fds", "protocol": "proto", "pad": "_"}

func sameName(c, g string) bool {
	if other, ok := otherNames[c]; ok && other == g {
		return true
	}
	return strings.EqualFold(strings.ReplaceAll(c, "_", ""), g)
}

// FuzzRows decodes what no kernel writes. Nothing of it may make us panic.
func FuzzRows(f *testing.F) {
	m := new(memory)
	f.Add(uint32(3), uint32(2), uint8(1), slices.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 255}, 40))
	f.Add(uint32(math.MaxUint32), uint32(math.MaxUint32), uint8(0), []byte{})
	f.Add(uint32(maxRows), uint32(maxPorts), uint8(7), []byte{0})
	f.Fuzz(func(t *testing.T, count, ports uint32, straight uint8, data []byte) {
		e := &Engine{memory: m, tick: 4 * time.Millisecond}
		e.namespaces.reset()
		fill(m.namespaces[:64], data)
		fill(m.rows[:64], data)
		fill(m.ports[:64], data)
		for i := range m.rows[:64] { // some of namespaces that there are
			m.rows[i].netns = m.namespaces[i*7%64].inode
			m.ports[i].netns = m.namespaces[i*5%64].inode
		}
		fill(m.reserved[:], data)
		m.result = result{count: count, knowsBind: 1}
		e.takeNamespaces()
		m.result.ports = ports
		if len(e.namespaces.list) == 0 {
			return
		}
		var moment source.Moment
		of := int32(straight) % int32(len(e.namespaces.list))
		e.takeRows(&moment, source.TCP, of)
		e.takePorts()
		e.place(&moment, 0, of)
		e.placePorts()
		e.ranges = m.reserved.AppendRanges(nil)
		sockets := 0
		for i, ns := range e.namespaces.list {
			s := source.Snapshot{Settings: ns.settings, Sockets: moment.Room[ns.start : ns.start+ns.count], Blocked: ns.blocked, VRFs: ns.vrfs}
			e.markExplicit(&s)
			sockets += ns.count
			if !slices.IsSorted(ns.blocked) {
				t.Errorf("blocked ports do not rise: %v", ns.blocked)
			}
			for j := range s.Sockets {
				_ = s.Sockets[j].State.String() + s.Sockets[j].Timer.String() + s.Sockets[j].Bind.String()
			}
			if i == 0 { // they are the same for all, and may be thousands
				s.Settings.Reserved = e.ranges
			}
			if err := s.Settings.Validate(); err != nil {
				t.Error(err)
			}
		}
		if sockets != len(moment.Room) {
			t.Errorf("%d sockets in %d", sockets, len(moment.Room))
		}
	})
}

// fill repeats data over a slice of structures without pointers.
func fill[T any](to []T, data []byte) {
	if len(data) == 0 {
		data = []byte{0}
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&to[0])), uintptr(len(to))*unsafe.Sizeof(to[0]))
	for i := range b {
		b[i] = data[i%len(data)]
	}
}

// FuzzEvents translates what no program tells.
func FuzzEvents(f *testing.F) {
	f.Add(make([]byte, unsafe.Sizeof(event{})))
	f.Add([]byte{255})
	f.Fuzz(func(t *testing.T, data []byte) {
		events := make([]event, 1)
		fill(events, data)
		v := events[0].event(time.Now())
		if _ = v.Kind.String() + v.Tuple.String(); v.Process.PID == 0 && v.Process != (source.Process{}) {
			t.Errorf("%+v", v)
		}
	})
}

// The ports of a set come back as ranges.
func TestRangesOfASet(t *testing.T) {
	t.Parallel()
	for _, want := range [][]source.PortRange{
		nil, {{Low: 1, High: 65535}}, {{Low: 1, High: 1}, {Low: 63, High: 64}, {Low: 66, High: 66}, {Low: 127, High: 300}, {Low: 65535, High: 65535}},
		{{Low: 64, High: 127}, {Low: 192, High: 255}},
	} {
		set := new(source.PortSet)
		set.Add(0) // which can be reserved and means nothing
		for _, r := range want {
			set.AddRange(r)
		}
		if got := set.AppendRanges(nil); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
}
