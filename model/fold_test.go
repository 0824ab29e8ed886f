package model

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// holding makes a moment in which processes hold so many ports each.
func holding(seconds float64, names []string, ports ...int) *source.Moment {
	var list []source.Socket
	m := moment(seconds)
	m.Snapshots[0].Settings.Range = source.PortRange{Low: 40000, High: 49999}
	for i, n := range ports {
		m.Processes = append(m.Processes, source.Process{PID: int32(100 + i), Start: 1, Name: names[i]})
		for range n {
			k := len(list)
			list = append(list, owned(socket(source.Established, fmt.Sprintf("10.0.0.1:%d", 40000+k), db), uint64(k+1), int32(i)))
		}
	}
	m.Snapshots[0].Sockets = list
	return m
}

// folded writes the consumers by process as a person sees them.
func folded(st *State) []string {
	var list []string
	for _, c := range st.FoldSmall(st.AppendConsumers(nil, ByProcess, source.TCP)) {
		who := fmt.Sprintf("%s ×%d", c.Name, c.Processes)
		if c.Process != source.NoProcess {
			p := &st.Processes[c.Process]
			who = fmt.Sprint(p.Name, " ", p.PID)
		}
		list = append(list, fmt.Sprint(who, ": ", c.Ports))
	}
	return list
}

// Of 10,000 ports, 100 are a hundredth.
func TestProcessesOfOneNameThatHoldNextToNothingAreOne(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		moments []*source.Moment
		want    []string
	}{
		{
			"those that hold little",
			[]*source.Moment{holding(0, []string{"api", "curl", "curl", "curl", "sshd"}, 2000, 1, 2, 4, 5)},
			[]string{"api 100: 2000", "curl ×3: 7", "sshd 104: 5"},
		},
		{
			"not who holds more",
			[]*source.Moment{holding(0, []string{"api", "curl", "curl", "curl"}, 2000, 300, 2, 4)},
			[]string{"api 100: 2000", "curl 101: 300", "curl ×2: 6"},
		},
		{
			"not who stands out on a quiet host",
			[]*source.Moment{holding(0, []string{"java", "java", "curl", "curl"}, 40, 30, 1, 1)},
			[]string{"java 100: 40", "java 101: 30", "curl ×2: 2"},
		},
		{"where there is nothing else", []*source.Moment{holding(0, []string{"curl", "curl"}, 1, 1)}, []string{"curl ×2: 2"}},
		{"without a name", []*source.Moment{holding(0, []string{"", "", "api"}, 1, 1, 900)}, []string{"api 102: 900", " ×2: 2"}},
		{
			"with their sum in its place",
			[]*source.Moment{holding(0, []string{"api", "curl", "curl"}, 1500, 80, 90)},
			[]string{"api 100: 1500", "curl ×2: 170"},
		},
		{
			"one that was large stays so on the border",
			[]*source.Moment{
				holding(0, []string{"api", "curl", "curl"}, 2000, 101, 3), holding(1, []string{"api", "curl", "curl"}, 2000, 99, 3),
				holding(2, []string{"api", "curl", "curl"}, 2000, 60, 3),
			},
			[]string{"api 100: 2000", "curl 101: 60", "curl 102: 3"},
		},
		{
			"and no longer when it holds half of that",
			[]*source.Moment{holding(0, []string{"api", "curl", "curl"}, 2000, 101, 3), holding(1, []string{"api", "curl", "curl"}, 2000, 49, 3)},
			[]string{"api 100: 2000", "curl ×2: 52"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, folded(story(c.moments...))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Which of several short-lived processes a TIME_WAIT is likely to be of, nobody
// knows.
func TestWhatIsLikelyOfOneOfManyIsFoldedWithThem(t *testing.T) {
	t.Parallel()
	names := []string{"api", "curl", "curl"}
	first, second := holding(0, names, 1000, 1, 1), holding(1, names, 1000)
	for _, s := range first.Snapshots[0].Sockets[1000:] {
		second.Snapshots[0].Sockets = append(second.Snapshots[0].Sockets, waiting(s))
	}
	for i := range 300 {
		s := owned(socket(source.TimeWait, fmt.Sprintf("10.0.0.1:%d", 45000+i), db), uint64(5000+i), source.NoProcess)
		second.Snapshots[0].Sockets = append(second.Snapshots[0].Sockets, s)
	}
	if diff := cmp.Diff([]string{"api 100: 1000", "curl ×2: 302"}, folded(story(first, second))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// waiting is what a socket leaves behind.
func waiting(s source.Socket) source.Socket {
	return owned(with(s, func(s *source.Socket) {
		s.State, s.Timer, s.Expires, s.Inode = source.TimeWait, source.TimerTimeWait, 59000, 0
	}), s.Cookie, source.NoProcess)
}

func TestFoldedProcessesSayHowManyHaveEnded(t *testing.T) {
	t.Parallel()
	names := []string{"api", "curl", "curl", "curl"}
	gone := holding(1, names, 2000)
	gone.Exited = []source.ProcessKey{{PID: 101, Start: 1}, {PID: 103, Start: 1}}
	first := holding(0, names, 2000, 1, 1, 1)
	for _, s := range first.Snapshots[0].Sockets[2000:] {
		gone.Snapshots[0].Sockets = append(gone.Snapshots[0].Sockets, waiting(s))
	}
	st := story(first, gone)
	list := st.FoldSmall(st.AppendConsumers(nil, ByProcess, source.TCP))
	if c := list[1]; c.Name != "curl" || c.Processes != 3 || c.Ended != 2 {
		t.Errorf("%s ×%d, %d of them ended; want curl ×3, 2 of them", c.Name, c.Processes, c.Ended)
	}
}
