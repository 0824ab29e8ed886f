package list

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/model/internal/modeltest"
	"ephtop/source"
)

func parsed(t *testing.T, expr string) filter.Filter {
	t.Helper()
	f, err := filter.Parse(expr)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOrderDescending(t *testing.T) {
	for _, tt := range []struct {
		order Order
		want  bool
	}{
		{Order{ColumnAge, false}, true},
		{Order{ColumnAge, true}, false},
		{Order{ColumnLocal, false}, false},
		{Order{ColumnLocal, true}, true},
	} {
		if got := tt.order.Descending(); got != tt.want {
			t.Errorf("%v reversed %v: Descending() = %v, want %v", tt.order.Column, tt.order.Reverse, got, tt.want)
		}
	}
}

func TestSelectionOrder(t *testing.T) {
	none := source.NoProcess
	tests := []struct {
		name      string
		column    Column
		processes []source.Process
		sockets   []modeltest.Socket
		want      []int32
		reverse   []int32
	}{
		{
			name:   "protocol: tcp before udp, ties by local port both ways",
			column: ColumnProto,
			sockets: []modeltest.Socket{
				{Proto: source.UDP, Local: "10.0.0.1:5", Process: none},
				{Proto: source.TCP, Local: "10.0.0.1:9", Process: none},
				{Proto: source.TCP, Local: "10.0.0.1:7", Process: none},
			},
			want:    []int32{2, 1, 0},
			reverse: []int32{0, 2, 1},
		},
		{
			name:   "local: address before port, and as numbers rather than text",
			column: ColumnLocal,
			sockets: []modeltest.Socket{
				{Local: "10.0.0.10:1", Process: none},
				{Local: "10.0.0.9:40000", Process: none},
				{Local: "10.0.0.9:5000", Process: none},
				{Local: "[2001:db8::1]:1", Process: none},
				{Local: "[::1]:1", Process: none},
				{Local: "[2001:db8::2]:1", Process: none},
			},
			want:    []int32{4, 2, 1, 0, 3, 5},
			reverse: []int32{5, 3, 0, 1, 2, 4},
		},
		{
			name:   "remote: address before port, ties by local port both ways",
			column: ColumnRemote,
			sockets: []modeltest.Socket{
				{Local: "10.0.0.9:40003", Remote: "10.0.9.2:5432", Process: none},
				{Local: "10.0.0.9:40001", Remote: "10.0.9.2:5432", Process: none},
				{Local: "10.0.0.9:40002", Remote: "10.0.9.2:443", Process: none},
				{Local: "10.0.0.9:40004", Remote: "10.0.9.1:6379", Process: none},
			},
			want:    []int32{3, 2, 1, 0},
			reverse: []int32{1, 0, 2, 3},
		},
		{
			name:   "state: by the life of a port, LISTEN last",
			column: ColumnState,
			sockets: []modeltest.Socket{
				{State: source.Listen, Process: none},
				{State: source.TimeWait, Process: none},
				{State: source.Established, Process: none},
				{State: source.Bound, Process: none},
				{State: source.SynSent, Process: none},
				{State: source.CloseWait, Process: none},
			},
			want:    []int32{3, 4, 2, 5, 1, 0},
			reverse: []int32{0, 1, 5, 2, 4, 3},
		},
		{
			name:      "pid: rows of no known process last both ways",
			column:    ColumnPID,
			processes: []source.Process{{PID: 4410}, {PID: 97}},
			sockets: []modeltest.Socket{
				{Process: none},
				{Process: 0},
				{Process: 1},
			},
			want:    []int32{2, 1, 0},
			reverse: []int32{1, 2, 0},
		},
		{
			name:   "process: name, then pid as a number, rows of no known process last both ways",
			column: ColumnProcess,
			processes: []source.Process{
				{PID: 1000, Name: "envoy"}, {PID: 200, Name: "envoy"}, {PID: 300, Name: "api"}, {PID: 1, Name: "unused"},
			},
			sockets: []modeltest.Socket{
				{Process: none},
				{Process: 0},
				{Process: 1},
				{Process: 2},
			},
			want:    []int32{3, 2, 1, 0},
			reverse: []int32{1, 2, 3, 0},
		},
		{
			name:      "process: two entries of one process are equal",
			column:    ColumnProcess,
			processes: []source.Process{{PID: 7, Name: "api", Start: 1}, {PID: 7, Name: "api", Start: 1}},
			sockets: []modeltest.Socket{
				{Local: "10.0.0.1:3", Process: 0},
				{Local: "10.0.0.1:2", Process: 1},
				{Local: "10.0.0.1:1", Process: 0},
			},
			want:    []int32{2, 1, 0},
			reverse: []int32{2, 1, 0},
		},
		{
			name:   "age: oldest first, TIME_WAIT by the time since it was first seen too",
			column: ColumnAge,
			sockets: []modeltest.Socket{
				{Age: 7 * time.Second, Process: none},
				{Age: 48 * time.Second, State: source.TimeWait, Process: none},
				{Age: 3 * time.Minute, Process: none},
			},
			want:    []int32{2, 1, 0},
			reverse: []int32{0, 1, 2},
		},
		{
			name:   "age: parts of a second count, so that rows don't change places as seconds turn",
			column: ColumnAge,
			sockets: []modeltest.Socket{
				{Local: "10.0.0.1:1", Age: 7100 * time.Millisecond, Process: none},
				{Local: "10.0.0.1:2", Age: 7900 * time.Millisecond, Process: none},
			},
			want:    []int32{1, 0},
			reverse: []int32{0, 1},
		},
		{
			name:   "left: the next to end first, those of which nothing is left last both ways",
			column: ColumnLeft,
			sockets: []modeltest.Socket{
				{Local: "10.0.0.1:1", State: source.Established, Process: none},
				{Local: "10.0.0.1:2", State: source.TimeWait, Left: 9 * time.Second, Process: none},
				{Local: "10.0.0.1:3", State: source.TimeWait, Left: 2 * time.Second, Process: none},
				{Local: "10.0.0.1:4", State: source.TimeWait, Process: none},
			},
			want:    []int32{2, 1, 0, 3},
			reverse: []int32{1, 2, 0, 3},
		},
		{
			name:   "ties: local port, remote port, remote address, local address, protocol, cookie",
			column: ColumnState,
			sockets: []modeltest.Socket{
				{Local: "10.0.0.1:2", Remote: "10.0.0.1:1", Process: none, Cookie: 2},
				{Local: "10.0.0.1:2", Remote: "10.0.0.1:1", Process: none, Cookie: 1},
				{Proto: source.UDP, Local: "10.0.0.1:2", Remote: "10.0.0.1:1", Process: none},
				{Local: "10.0.0.2:2", Remote: "10.0.0.1:1", Process: none},
				{Local: "10.0.0.1:2", Remote: "10.0.0.2:1", Process: none},
				{Local: "10.0.0.1:2", Remote: "10.0.0.1:2", Process: none},
				{Local: "10.0.0.1:1", Remote: "10.0.0.1:9", Process: none},
			},
			want:    []int32{6, 1, 0, 2, 3, 4, 5},
			reverse: []int32{6, 1, 0, 2, 3, 4, 5},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			st := modeltest.State(tt.processes, tt.sockets...)
			s := Selection{Order: Order{Column: tt.column}, TCP: true, UDP: true}
			if diff := cmp.Diff(tt.want, rows(&s, st)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			s.Order.Reverse = true
			if diff := cmp.Diff(tt.reverse, rows(&s, st)); diff != "" {
				t.Errorf("rows reversed (-want +got):\n%s", diff)
			}
		})
	}
}

// rows lists without folds, as indices of sockets.
func rows(s *Selection, st *model.State) []int32 {
	var l List
	s.List(&l, st)
	all := []int32{}
	for _, r := range l.Rows {
		all = append(all, l.Socket(r))
	}
	return all
}

// The order must not depend on the order in which a dump lists the sockets.
func TestSelectionOrderIsTotal(t *testing.T) {
	st := modeltest.Random(500)
	shuffled := &model.State{Moment: st.Moment, Snapshot: new(source.Snapshot), Clock: st.Clock, Processes: st.Processes}
	for _, i := range rand.New(rand.NewPCG(3, 4)).Perm(len(st.Rows)) {
		shuffled.Snapshot.Sockets = append(shuffled.Snapshot.Sockets, st.Snapshot.Sockets[i])
		shuffled.Rows = append(shuffled.Rows, st.Rows[i])
	}
	tuples := func(s *Selection, st *model.State) []source.Tuple {
		var ts []source.Tuple
		for _, row := range rows(s, st) {
			ts = append(ts, st.Snapshot.Sockets[row].Tuple())
		}
		return ts
	}
	for c := range ColumnProto + 1 {
		for _, reverse := range []bool{false, true} {
			s := Selection{Order: Order{c, reverse}, TCP: true, UDP: true}
			first, second := tuples(&s, st), tuples(&s, shuffled)
			if len(first) != len(st.Rows) {
				t.Errorf("%v: %d rows of %d", c, len(first), len(st.Rows))
			}
			if !slices.Equal(first, second) {
				t.Errorf("by %v, reversed %v: the order changed with that of the dump", c, reverse)
			}
		}
	}
}

func TestSelectionPicks(t *testing.T) {
	st := modeltest.State(nil,
		modeltest.Socket{Local: "10.0.0.1:1", State: source.Listen, Process: source.NoProcess},
		modeltest.Socket{Local: "10.0.0.1:2", State: source.TimeWait, Process: source.NoProcess},
		modeltest.Socket{Proto: source.UDP, Local: "10.0.0.1:3", State: source.Bound, Process: source.NoProcess},
	)
	for _, tt := range []struct {
		name   string
		s      Selection
		filter string
		want   []int32
	}{
		{"tcp alone", Selection{TCP: true}, "", []int32{0, 1}},
		{"udp alone", Selection{UDP: true}, "", []int32{2}},
		{"both", Selection{TCP: true, UDP: true}, "", []int32{0, 1, 2}},
		{"neither", Selection{}, "", []int32{}},
		{"with a filter", Selection{TCP: true, UDP: true}, "!state:listen", []int32{1, 2}},
		{"a filter for what is not listed", Selection{TCP: true}, "proto:udp", []int32{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.s.Filter, tt.s.Order.Column = parsed(t, tt.filter), ColumnLocal
			if diff := cmp.Diff(tt.want, rows(&tt.s, st)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSelectionReusesMemory(t *testing.T) {
	st := modeltest.Random(1000)
	for c := range ColumnProto + 1 {
		for _, fold := range []bool{false, true} {
			s, l := Selection{TCP: true, UDP: true, Fold: fold, Order: Order{Column: c}}, List{}
			s.List(&l, st)
			if n := testing.AllocsPerRun(5, func() { s.List(&l, st) }); n > 0 {
				t.Errorf("by %v, folded %v: %v allocations a call, want none", c, fold, n)
			}
		}
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	shared := func(cookie uint64, inode uint32, state source.State) modeltest.Socket {
		return modeltest.Socket{Local: "10.0.0.1:2", Remote: "10.0.0.2:443", Process: source.NoProcess, Cookie: cookie, Inode: inode, State: state}
	}
	other := modeltest.Socket{Local: "10.0.0.1:1", Remote: "10.0.0.2:443", Process: source.NoProcess, Cookie: 5, Inode: 50}
	udp := shared(5, 50, source.Established)
	udp.Proto = source.UDP
	for _, tt := range []struct {
		name string
		now  []modeltest.Socket
		rows []Row
		want int
	}{
		{"it moved down", []modeltest.Socket{other, shared(5, 50, source.Established)}, []Row{0, 1}, 1},
		{"places are those of the rows", []modeltest.Socket{other, shared(5, 50, source.Established)}, []Row{1, 0}, 0},
		{"it is not listed", []modeltest.Socket{other, shared(5, 50, source.Established)}, []Row{0}, -1},
		{"among those with its four-tuple, the very one", []modeltest.Socket{shared(4, 40, source.Listen), shared(5, 50, source.Listen)}, []Row{0, 1}, 1},
		{"a TIME_WAIT without a cookie", []modeltest.Socket{other, shared(0, 0, source.TimeWait)}, []Row{0, 1}, 1},
		{"rather the one with its cookie than the first", []modeltest.Socket{shared(4, 40, source.TimeWait), shared(5, 0, source.TimeWait)}, []Row{0, 1}, 1},
		{"the first where none has its cookie", []modeltest.Socket{shared(4, 40, source.Listen), shared(6, 60, source.Listen)}, []Row{0, 1}, 0},
		{"another protocol is another socket", []modeltest.Socket{udp}, []Row{0}, -1},
		{"nothing is there", nil, nil, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var was List
			mark := was.Mark(modeltest.State(nil, shared(5, 50, source.Established)), 0)
			l := List{Rows: tt.rows}
			if got := l.Find(&mark, modeltest.State(nil, tt.now...)); got != tt.want {
				t.Errorf("found at %d, want %d", got, tt.want)
			}
		})
	}
}

func BenchmarkRows(b *testing.B) {
	for _, n := range []int{20_000, 200_000} {
		st := modeltest.Random(n)
		for c := range ColumnProto + 1 {
			for _, fold := range []bool{false, true} {
				b.Run(fmt.Sprintf("%d/%v/fold=%v", n, c, fold), func(b *testing.B) {
					s, l := Selection{Order: Order{Column: c}, TCP: true, UDP: true, Fold: fold}, List{}
					s.List(&l, st)
					b.ReportAllocs()
					for b.Loop() {
						s.List(&l, st)
					}
				})
			}
		}
	}
}
