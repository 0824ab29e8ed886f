package list

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/model/internal/modeltest"
	"ephtop/source"
)

// waiting is a TIME_WAIT from a port of 10.0.0.1.
func waiting(port int, remote string, process int32, left time.Duration) modeltest.Socket {
	return modeltest.Socket{
		Local: fmt.Sprint("10.0.0.1:", port), Remote: remote, State: source.TimeWait, Process: process,
		Left: left, Age: time.Minute - left, Cookie: uint64(port),
	}
}

var owners = []source.Process{{PID: 7, Start: 1, Name: "api"}, {PID: 9, Start: 2, Name: "web"}, {PID: 7, Start: 1, Name: "api"}}

// words says what a list holds, a row a line.
func words(l *List, st *model.State) []string {
	var all []string
	for _, r := range l.Rows {
		s := &st.Snapshot.Sockets[l.Socket(r)]
		switch f := l.Fold(r); {
		case f == nil:
			all = append(all, source.AddrPort(s.Local, s.LocalPort)+" "+source.AddrPort(s.Remote, s.RemotePort))
		case f.AtRemote:
			all = append(all, fmt.Sprintf("%s %s: %d ports %v", source.AddrPort(s.Local, s.LocalPort), s.Remote, f.Ports, time.Duration(f.Left)*time.Millisecond))
		default:
			all = append(all, fmt.Sprintf("%s: %d ports %s %v", s.Local, f.Ports, source.AddrPort(s.Remote, s.RemotePort), time.Duration(f.Left)*time.Millisecond))
		}
	}
	return all
}

func listed(st *model.State, s Selection) (*List, []string) {
	l := new(List)
	s.List(l, st)
	return l, words(l, st)
}

// The TIME_WAIT of one tuple and owner are one row. A single one is itself, and
// so is all that lives.
func TestFold(t *testing.T) {
	t.Parallel()
	st := modeltest.State(owners,
		waiting(40001, "10.0.9.2:5432", 0, 10*time.Second),
		waiting(40002, "10.0.9.2:5432", 1, 20*time.Second),
		waiting(40003, "10.0.9.2:5432", 2, 58*time.Second), // the same process by another entry
		waiting(40004, "10.0.9.2:6379", 0, 30*time.Second),
		waiting(40005, "10.0.9.2:5432", source.NoProcess, 40*time.Second),
		waiting(40006, "10.0.9.2:5432", source.NoProcess, 0),
		modeltest.Socket{Local: "10.0.0.1:40007", Remote: "10.0.9.2:5432", State: source.Established, Process: 0},
	)
	l, got := listed(st, Selection{Order: Order{Column: ColumnRemote}, TCP: true, Fold: true})
	want := []string{
		"10.0.0.1: 2 ports 10.0.9.2:5432 58s", "10.0.0.1: 2 ports 10.0.9.2:5432 40s", "10.0.0.1:40002 10.0.9.2:5432",
		"10.0.0.1:40007 10.0.9.2:5432", "10.0.0.1:40004 10.0.9.2:6379",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if l.Sockets != 7 || l.Waiting != 6 {
		t.Errorf("%d sockets, %d in TIME_WAIT; want 7 and 6", l.Sockets, l.Waiting)
	}
}

// It is the sockets that are filtered, and not the folds.
func TestFoldOfAFilter(t *testing.T) {
	t.Parallel()
	st := modeltest.State(nil, waiting(40001, "10.0.9.2:5432", -1, time.Second), waiting(40002, "10.0.9.2:5432", -1, time.Second),
		waiting(40003, "10.0.9.2:5432", -1, time.Second))
	_, got := listed(st, Selection{Filter: parsed(t, "lport:40002-40009"), TCP: true, Fold: true})
	if diff := cmp.Diff([]string{"10.0.0.1: 2 ports 10.0.9.2:5432 1s"}, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// Connections that came in differ in the port at the other end.
func TestFoldOfAServer(t *testing.T) {
	t.Parallel()
	in := func(from string) modeltest.Socket {
		return modeltest.Socket{Local: "10.0.0.1:443", Remote: from, State: source.TimeWait, Process: -1, Left: time.Second, Server: true}
	}
	st := modeltest.State(nil, in("10.0.0.5:51001"), in("10.0.0.5:51002"), in("10.0.0.6:51002"))
	st.Snapshot.Settings.Range = source.PortRange{Low: 32768, High: 60999}
	_, got := listed(st, Selection{Order: Order{Column: ColumnRemote}, TCP: true, Fold: true})
	if diff := cmp.Diff([]string{"10.0.0.1:443 10.0.0.5: 2 ports 1s", "10.0.0.1:443 10.0.0.6:51002"}, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// What a fold knows of its owner is what is known best.
func TestFoldTakesTheSurestOwner(t *testing.T) {
	t.Parallel()
	sure := waiting(40002, "10.0.9.2:5432", 0, time.Second)
	sure.Tier = model.OwnerTraced
	likely := waiting(40001, "10.0.9.2:5432", 0, time.Second)
	likely.Tier = model.OwnerInferred
	st := modeltest.State(owners, likely, sure, likely)
	l, _ := listed(st, Selection{TCP: true, Fold: true})
	if len(l.Rows) != 1 || l.Socket(l.Rows[0]) != 1 {
		t.Errorf("rows %v of socket %d, want one, of socket 1", l.Rows, l.Socket(l.Rows[0]))
	}
}

func use(destination string, port uint16) model.TupleUse {
	return model.TupleUse{TupleKey: model.TupleKey{
		Source: source.Addr4([4]byte{10, 0, 0, 1}), Destination: modelAddr(destination), Port: port,
	}, Process: source.NoProcess}
}

func modelAddr(s string) source.Addr {
	return modeltest.State(nil, modeltest.Socket{Local: s + ":1"}).Snapshot.Sockets[0].Local
}

// Worst first: the destination in trouble, what lives there oldest first, then
// its TIME_WAIT; then the next; then what has to do with none, listeners last.
func TestWorstFirst(t *testing.T) {
	t.Parallel()
	live := func(port int, remote string, age time.Duration) modeltest.Socket {
		return modeltest.Socket{Local: fmt.Sprint("10.0.0.1:", port), Remote: remote, State: source.Established, Process: -1, Age: age}
	}
	st := modeltest.State(nil,
		modeltest.Socket{Local: "10.0.0.1:80", State: source.Listen, Process: -1, Age: time.Hour},
		live(40001, "10.0.9.3:6379", time.Hour),
		waiting(40002, "10.0.9.2:5432", -1, time.Second),
		live(40003, "10.0.9.2:5432", time.Second),
		live(40004, "10.0.9.2:5432", time.Minute),
		waiting(40005, "10.0.9.2:5432", -1, time.Second),
		modeltest.Socket{Local: "10.0.0.1:80", Remote: "10.0.0.5:51001", State: source.Established, Process: -1, Server: true},
	)
	// A private pool towards a destination is where the destination is.
	private := use("10.0.9.3", 6379)
	private.Pool = model.PoolSourcePorts
	st.TCP.Pressure.Tuples = []model.TupleUse{use("10.0.9.2", 5432), private}
	s := Selection{TCP: true, Fold: true}
	want := []string{
		"10.0.0.1:40004 10.0.9.2:5432", "10.0.0.1:40003 10.0.9.2:5432", "10.0.0.1: 2 ports 10.0.9.2:5432 1s",
		"10.0.0.1:40001 10.0.9.3:6379", "10.0.0.1:80 10.0.0.5:51001", "10.0.0.1:80 0.0.0.0:0",
	}
	_, got := listed(st, s)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	s.Order.Reverse = true
	slices.Reverse(want)
	_, got = listed(st, s)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reversed (-want +got):\n%s", diff)
	}
	// Where most of the ports wait, they come first, but not one by one.
	s.Order.Reverse = false
	st.TCP.Pressure.Tuples[0].Live, st.TCP.Pressure.Tuples[0].TimeWait = 2, 3
	for fold, want := range map[bool]string{true: "10.0.0.1: 2 ports 10.0.9.2:5432 1s", false: "10.0.0.1:40004 10.0.9.2:5432"} {
		s.Fold = fold
		if _, got = listed(st, s); got[0] != want {
			t.Errorf("more waits than lives, folded %v: %q comes first, want %q", fold, got[0], want)
		}
	}
}

// Folds keep their order, whichever of them has the oldest TIME_WAIT just now.
func TestFoldsKeepTheirPlaces(t *testing.T) {
	t.Parallel()
	for _, column := range []Column{ColumnWorst, ColumnAge, ColumnState, ColumnProto, ColumnLocal} {
		var first []string
		for _, ages := range [][2]time.Duration{{59 * time.Second, 61 * time.Second}, {61 * time.Second, 59 * time.Second}} {
			var sockets []modeltest.Socket
			for i := range 4 {
				w := waiting(40001+i, fmt.Sprint("10.0.9.2:", 7000+i/2), int32(i/2), time.Second)
				w.Age, w.Local = ages[i/2], fmt.Sprint("10.0.0.1:", 40001+i+int(ages[0]/time.Second)*(3-i))
				sockets = append(sockets, w)
			}
			_, got := listed(modeltest.State(owners, sockets...), Selection{Order: Order{Column: column}, TCP: true, Fold: true})
			if first == nil {
				first = got
			}
			if diff := cmp.Diff(first, got); diff != "" {
				t.Errorf("by %v, the folds changed places:\n%s", column, diff)
			}
		}
	}
}

// A fold is found by tuple and owner, a connection that was folded in its fold,
// and what was folded at its first socket.
func TestMarkOfAFold(t *testing.T) {
	t.Parallel()
	other := waiting(40009, "10.0.9.1:80", -1, time.Second)
	now := func(ports ...int) *model.State {
		sockets := []modeltest.Socket{other}
		for _, p := range ports {
			sockets = append(sockets, waiting(p, "10.0.9.2:5432", 0, time.Second))
		}
		return modeltest.State(owners, sockets...)
	}
	s := Selection{Order: Order{Column: ColumnRemote}, TCP: true, Fold: true}
	was := now(40001, 40002)
	l, _ := listed(was, s)
	mark := l.Mark(was, l.Rows[1])
	live := modeltest.State(owners, modeltest.Socket{Local: "10.0.0.1:40004", Remote: "10.0.9.2:5432", State: source.Established})
	var alive List
	socket := alive.Mark(live, 0)
	for _, tt := range []struct {
		name string
		mark Mark
		st   *model.State
		fold bool
		want int
	}{
		{"other ports", mark, now(40003, 40004), true, 1},
		{"a single one is left", mark, now(40003), true, 1},
		{"none is left", mark, now(), true, -1},
		{"unfolded", mark, now(40003, 40004), false, 1},
		{"a socket that is in the fold now", socket, now(40003, 40004), true, 1},
		{"one that is not", socket, now(40005, 40006), true, -1},
	} {
		s.Fold = tt.fold
		l, _ := listed(tt.st, s)
		if got := l.Find(&tt.mark, tt.st); got != tt.want {
			t.Errorf("%s: found at %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestDestinations(t *testing.T) {
	t.Parallel()
	st := modeltest.State(owners, waiting(40001, "10.0.9.1:80", -1, time.Second), waiting(40002, "10.0.9.3:80", -1, time.Second),
		modeltest.Socket{Proto: source.UDP, Local: "10.0.0.1:40003", Remote: "10.0.9.2:80", Process: -1})
	st.TCP.Pressure.Tuples = []model.TupleUse{use("10.0.9.3", 80), use("10.0.9.1", 80), use("10.0.9.2", 80)}
	for i := range st.TCP.Pressure.Tuples {
		u := &st.TCP.Pressure.Tuples[i]
		u.Used, u.Free, u.Live, u.TimeWait = 30-i, 70+i, []int{5, 9, 7}[i], []int{2, 1, 3}[i]
		u.Outlook.Rate, u.Process = []float64{1, 3, 2}[i], []int32{source.NoProcess, 1, 0}[i]
	}
	st.TCP.Pressure.Tuples[1].Outlook.Trend, st.TCP.Pressure.Tuples[1].Outlook.In = model.TrendFull, time.Minute
	for _, tt := range []struct {
		filter string
		order  Order
		want   []int32
	}{
		{"", Order{}, []int32{0, 1, 2}},
		{"", Order{Reverse: true}, []int32{2, 1, 0}},
		{"", Order{Column: ColumnDestination}, []int32{1, 2, 0}},
		{"", Order{Column: ColumnUsed}, []int32{0, 1, 2}},
		{"", Order{Column: ColumnFree}, []int32{0, 1, 2}},
		{"", Order{Column: ColumnLive}, []int32{1, 2, 0}},
		{"", Order{Column: ColumnTimeWait, Reverse: true}, []int32{1, 0, 2}},
		{"", Order{Column: ColumnRate}, []int32{1, 2, 0}},
		{"", Order{Column: ColumnOutlook}, []int32{1, 0, 2}},
		{"", Order{Column: ColumnHolder}, []int32{2, 1, 0}},
		{"lport:40002-40003", Order{}, []int32{0}},
		{"lport:1", Order{}, []int32{}},
	} {
		s := Selection{Filter: parsed(t, tt.filter), TCP: true}
		if diff := cmp.Diff(tt.want, s.Destinations([]int32{7}, st, tt.order)); diff != "" {
			t.Errorf("%q by %v, reversed %v (-want +got):\n%s", tt.filter, tt.order.Column, tt.order.Reverse, diff)
		}
	}
}
