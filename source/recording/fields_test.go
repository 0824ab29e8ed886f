package recording_test

import (
	"cmp"
	"fmt"
	"io"
	"reflect"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ephtop/source"
)

// filler sets all fields of a value, each to something else.
type filler struct{ n int }

func (f *filler) fill(v reflect.Value) {
	f.n++
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = epoch.Add(time.Duration(f.n) * time.Second)
		return
	case *[]source.PortRange: // which have to rise
		n := uint16(1 + f.n%250)
		*p = []source.PortRange{{Low: n, High: n + 1}, {Low: n + 3, High: n + 3}}
		return
	case *source.Proto:
		*p = source.UDP
		return
	case *source.State:
		*p = source.State(1 + f.n%(source.NumStates-1))
		return
	case *source.PortRange: // reserved ones must rise
		*p = source.PortRange{Low: uint16(2 * f.n), High: uint16(2*f.n + 1)}
		return
	case *source.EventKind:
		*p = source.AddressRefused
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.n))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(1 + f.n%250))
	case reflect.Float64:
		v.SetFloat(float64(f.n) / 8)
	case reflect.String:
		v.SetString(fmt.Sprint("text ", f.n))
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	default:
		panic("no value for " + v.Type().String())
	}
}

// filled is a moment in which everything is set. Its sockets are windows of
// one memory and point to its processes.
func (f *filler) filled() *source.Moment {
	m := new(source.Moment)
	f.fill(reflect.ValueOf(m).Elem())
	m.Room = nil
	for i := range m.Snapshots {
		s := &m.Snapshots[i]
		for j := range s.Sockets {
			s.Sockets[j].Process, s.Sockets[j].Expires = int32(j), uint32(f.n*1000+j)
		}
		m.Room = append(m.Room, s.Sockets...)
		slices.Sort(s.Blocked)
		slices.SortFunc(s.VRFs, func(a, b source.VRF) int { return cmp.Compare(a.Interface, b.Interface) })
	}
	return clone(m)
}

// TestNoFieldIsLost records moments in which all fields are set, also those that
// were added to the types after this test was written.
func TestNoFieldIsLost(t *testing.T) {
	t.Parallel()
	var f filler
	first, second, third := f.filled(), f.filled(), f.filled()
	// In the second moment all is new, in the third all is changed.
	for i := range third.Processes {
		third.Processes[i].PID, third.Processes[i].Start = second.Processes[i].PID, second.Processes[i].Start
	}
	for i := range third.Snapshots {
		was, is := &second.Snapshots[i], &third.Snapshots[i]
		is.Scope.Host, is.Scope.Netns, is.Scope.Cookie = was.Scope.Host, was.Scope.Netns, was.Scope.Cookie
		for j := range is.Sockets {
			is.Sockets[j].Cookie = was.Sockets[j].Cookie
		}
	}
	written := []*source.Moment{first, second, third, {Time: third.Time}}
	read, err := readAll(t, record(t, written))
	if err != io.EOF || len(read) != len(written) {
		t.Fatalf("%d moments, then %v", len(read), err)
	}
	for i := range written {
		if d := gocmp.Diff(written[i], read[i], cmpopts.EquateEmpty()); d != "" {
			t.Errorf("moment %d: %s", i, d)
		}
	}
}

// A socket that is appended to one namespace must not overwrite another's.
func TestSocketsAreWindowsOfOneMemory(t *testing.T) {
	t.Parallel()
	var f filler
	read, err := readAll(t, record(t, []*source.Moment{f.filled()}))
	if len(read) != 1 {
		t.Fatal(err)
	}
	m, at := read[0], 0
	for i := range m.Snapshots {
		s := m.Snapshots[i].Sockets
		if len(s) != 2 || cap(s) != 2 || &s[0] != &m.Room[at] {
			t.Errorf("namespace %d: %d sockets of %d, not those from %d on", i, len(s), cap(s), at)
		}
		at += len(s)
	}
	if at != len(m.Room) {
		t.Errorf("%d sockets in all, want %d", len(m.Room), at)
	}
}

// What is kept of a socket tells each of its fields from what it was, whatever
// else stays the same.
func TestEachFieldOfASocketChangesAlone(t *testing.T) {
	t.Parallel()
	socket := reflect.TypeFor[source.Socket]()
	for i := range socket.NumField() {
		t.Run(socket.Field(i).Name, func(t *testing.T) {
			t.Parallel()
			var f filler
			first := f.filled()
			second := clone(first)
			for j := range second.Room {
				s := &second.Room[j]
				switch field := reflect.ValueOf(s).Elem().Field(i); p := field.Addr().Interface().(type) {
				case *source.Proto:
					*p = source.TCP
				case *int32:
					*p = source.NoProcess
				case *bool:
					*p = false
				default:
					f.n *= 2
					f.fill(field)
				}
			}
			written := []*source.Moment{first, second, first, second}
			read, err := readAll(t, record(t, written))
			if err != io.EOF || len(read) != len(written) {
				t.Fatalf("%d moments, then %v", len(read), err)
			}
			for n := range written {
				if d := differ(written[n], read[n]); d != "" {
					t.Errorf("moment %d: %s", n, d)
				}
			}
		})
	}
}
