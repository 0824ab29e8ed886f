package command_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creack/pty"

	"ephtop/source/netlab"
)

// watched is how long the dashboard is watched, after it has settled.
const (
	settling = 3 * time.Second
	watched  = 10 * time.Second
)

// BenchmarkDashboard runs the whole program on a terminal, and says what a
// second of it costs beside one dump that is thrown away (the floor) and one
// `ss -tanp`. It takes a fixed time, whatever -benchtime says.
func BenchmarkDashboard(b *testing.B) {
	for _, size := range []struct{ live, timeWait, churn int }{{300, 0, 0}, {36000, 0, 0}, {36000, 0, 500}, {36000, 164000, 0}} {
		for _, screen := range []pty.Winsize{{Rows: 24, Cols: 80}, {Rows: 60, Cols: 200}} {
			name := fmt.Sprintf("sockets=%d/churn=%d/screen=%dx%d", size.live+size.timeWait, size.churn, screen.Cols, screen.Rows)
			b.Run(name, func(b *testing.B) {
				c := netlab.NewCrowd(b, size.live, size.timeWait)
				if b.N > 1 {
					b.Skip("takes a fixed time: use -benchtime 1x")
				}
				watchDashboard(b, []*netlab.Host{c.Host}, screen, func() { c.Churn(size.churn / 10) })
			})
		}
	}
}

// BenchmarkDashboardOfAMillion is the same on hosts of half a million sockets and
// of a million, with the interval of a second that polls would else be slower
// than.
func BenchmarkDashboardOfAMillion(b *testing.B) {
	for _, sockets := range []int{500_000, 1_000_000} {
		b.Run(fmt.Sprintf("sockets=%d", sockets), func(b *testing.B) {
			if b.N > 1 {
				b.Skip("takes a fixed time: use -benchtime 1x")
			}
			c := netlab.NewCrowd(b, 36_000, sockets-36_000)
			b.Cleanup(func() { b.Log(strings.SplitN(c.Host.Output("cat", "/proc/net/sockstat"), "\n", 3)[1]) })
			watchDashboard(b, []*netlab.Host{c.Host}, pty.Winsize{Rows: 24, Cols: 80}, func() {}, "--interval", "1s")
		})
	}
}

// BenchmarkDashboardNamespaces is the same on a host of many network namespaces,
// beside one dump of each.
func BenchmarkDashboardNamespaces(b *testing.B) {
	if b.N > 1 {
		b.Skip("takes a fixed time: use -benchtime 1x")
	}
	hosts := make([]*netlab.Host, 300)
	for i := range hosts {
		hosts[i] = netlab.New(b, "")
		hosts[i].Listen("127.0.0.1:80")
		if _, err := hosts[i].Fill("127.0.0.1:80", 10); err != nil {
			b.Fatal(err)
		}
	}
	watchDashboard(b, hosts, pty.Winsize{Rows: 24, Cols: 80}, func() {})
}

// watchDashboard starts the program on the first of the hosts. change is called
// ten times a second.
func watchDashboard(b *testing.B, hosts []*netlab.Host, screen pty.Winsize, change func(), args ...string) {
	master, slave, err := pty.Open()
	if err != nil {
		b.Fatal(err)
	}
	defer master.Close()
	pty.Setsize(master, &screen)
	cmd := exec.Command(executable(b), args...)
	cmd.Env = environ(asProgram + "=" + asItIs)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	started := time.Now()
	if err := hosts[0].Start(cmd); err != nil {
		b.Fatal(err)
	}
	slave.Close()
	var written atomic.Int64
	arrived := make(chan struct{}, 1)
	go io.Copy(counter{&written, arrived}, master)
	<-arrived
	first := time.Since(started)
	var floors []*netlab.Floor
	for _, h := range hosts {
		floors = append(floors, h.Floor())
	}
	wait(settling, change)
	before, bytes := processTime(b, cmd.Process.Pid), written.Load()
	wait(watched, change)
	spent := processTime(b, cmd.Process.Pid) - before
	bytes = written.Load() - bytes
	resident := residentBytes(b, cmd.Process.Pid)
	keys := keyTimes(master, arrived)
	start := time.Now()
	for range 5 {
		for _, f := range floors {
			if err := f.Run(); err != nil {
				b.Fatal(err)
			}
		}
	}
	once := time.Since(start) / 5
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	second := float64(spent) / watched.Seconds()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(100*second/float64(time.Second), "%core")
	b.ReportMetric(second/float64(once), "second-x-floor")
	if len(hosts) == 1 && len(args) == 0 { // of a million sockets, ss takes a minute
		b.ReportMetric(float64(hosts[0].SSTime())/second, "ss-x-second")
	}
	b.ReportMetric(float64(resident)/(1<<20), "MB")
	b.ReportMetric(float64(bytes)/1024/watched.Seconds(), "KB/s")
	b.ReportMetric(float64(first.Microseconds())/1000, "first-ms")
	b.ReportMetric(float64(keys[len(keys)/2].Microseconds())/1000, "key-median-ms")
	b.ReportMetric(float64(keys[len(keys)-1].Microseconds())/1000, "key-worst-ms")
}

// keyTimes opens and closes the help, again and again and so also while polls
// run, and gives the sorted times from the key to what it changes.
func keyTimes(master *os.File, arrived <-chan struct{}) []time.Duration {
	var times []time.Duration
	for range 100 {
		time.Sleep(37 * time.Millisecond)
		select {
		case <-arrived: // of the last second's changes
		default:
		}
		start := time.Now()
		master.WriteString("?")
		<-arrived
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	return times
}

// counter counts what is written to it, and says that something was.
type counter struct {
	n       *atomic.Int64
	arrived chan<- struct{}
}

func (c counter) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	select {
	case c.arrived <- struct{}{}:
	default:
	}
	return len(b), nil
}

// BenchmarkSources runs `ephtop snapshot` as a whole process with each source,
// in turn with `ss -tanp`: the portable one reads through gopsutil.
func BenchmarkSources(b *testing.B) {
	for _, sockets := range []int{300, 20000} {
		b.Run(fmt.Sprintf("sockets=%d", sockets), func(b *testing.B) {
			c := netlab.NewCrowd(b, sockets, 0)
			spent := make(map[string]time.Duration)
			var ss time.Duration
			for b.Loop() {
				for _, source := range []string{"sockdiag", "portable"} {
					cmd := exec.Command(executable(b), "snapshot", "--source", source)
					cmd.Env = environ(asProgram + "=" + asItIs)
					start := time.Now()
					if err := c.Host.Start(cmd); err != nil {
						b.Fatal(err)
					}
					if err := cmd.Wait(); err != nil {
						b.Fatal(err)
					}
					spent[source] += time.Since(start)
				}
				ss += c.Host.SSTime()
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(spent["sockdiag"].Milliseconds())/float64(b.N), "ms")
			b.ReportMetric(float64(spent["portable"])/float64(spent["sockdiag"]), "gopsutil-x")
			b.ReportMetric(float64(ss)/float64(spent["sockdiag"]), "ss-x")
		})
	}
}

// wait lets the time pass, with a change each tenth of a second.
func wait(span time.Duration, change func()) {
	for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		change()
	}
}

// processTime is the time that a process has spent, user and system
// (proc_pid_stat(5), fields 14 and 15, in hundredths of a second).
func processTime(b *testing.B, pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// residentBytes is a process's resident memory (proc_pid_statm(5)).
func residentBytes(b *testing.B, pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		b.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		b.Fatal(err)
	}
	return pages * os.Getpagesize()
}
