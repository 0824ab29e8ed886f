package advice_test

import (
	"strings"
	"testing"

	"ephtop/source"
	"ephtop/ui/advice"
)

// Every limit has a sentence, with its detail in it where there is one.
func TestLimits(t *testing.T) {
	t.Parallel()
	m := &source.Moment{OS: "windows", Snapshots: []source.Snapshot{
		{Settings: source.Settings{Range: source.PortRange{Low: 2000, High: 2999}}},
		{Settings: source.Settings{Range: source.PortRange{Low: 49152, High: 65535}, Assumed: true}},
	}}
	tests := []struct {
		code         source.LimitCode
		detail, want string
	}{
		{source.LimitRange, "no netsh", "the port range could not be read (no netsh): the default of Windows, 49152-65535, is assumed; --range sets another"},
		{source.LimitHidden, "CAP_SYS_PTRACE CAP_DAC_READ_SEARCH",
			"processes are hidden: run as root or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH to see which sockets are theirs"},
		{source.LimitHidden, "12 CAP_SYS_PTRACE CAP_DAC_READ_SEARCH",
			"12 processes are hidden: run as root or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH to see which sockets are theirs"},
		{source.LimitHidden, "1 CAP_SYS_PTRACE", "1 process is hidden: run with CAP_SYS_PTRACE to see which sockets are theirs"},
		{source.LimitHidden, "3", "3 processes are hidden: run outside of this user namespace or sandbox to see which sockets are theirs"},
		{source.LimitOtherPIDs, "", "processes outside of this container are not seen: run on the host, or with its process ids (--pid=host)"},
		{source.LimitTraceStopped, "31000 5", "tracing stopped: 31,000 events/s would cost more than 5 % of a core"},
		{source.LimitLostEvents, "7", "7 traced events were lost, of any network namespace: more happened than the buffer holds"},
		{source.LimitNetns, "12 CAP_SYS_ADMIN CAP_SYS_PTRACE", "12 network namespaces were not looked at: run as root or with CAP_SYS_ADMIN and CAP_SYS_PTRACE"},
		{source.LimitNetns, "portable", "other network namespaces than this one are not seen: gopsutil looks at one"},
		{source.LimitNetns, "other-pids", "network namespaces of processes outside of this container are not seen"},
		{source.LimitNetns, "read /proc: refused", "some network namespaces may not be seen: read /proc: refused"},
		{source.LimitNetns, "1 it is of another user", "1 network namespace was not looked at: it is of another user"},
		{source.LimitTables, "no BTF", "the kernel's own tables are not read (no BTF): which ports are blocked for everyone is partly a guess"},
		{source.LimitNoUDP, "", "UDP sockets are not seen: the kernel has no udp_diag (modprobe udp_diag)"},
		{source.LimitNote, "as it is", "as it is"},
		{"of-tomorrow", "3", "of-tomorrow: 3"},
	}
	for _, tt := range tests {
		m.Limits = []source.Limit{{Code: tt.code, Detail: tt.detail}}
		if got := advice.Limits(m)[0]; got != tt.want {
			t.Errorf("%s %q:\n got %s\nwant %s", tt.code, tt.detail, got, tt.want)
		}
	}
	m.OS = "plan9"
	m.Limits = []source.Limit{{Code: source.LimitRange, Detail: "not known how"}}
	const want = "the port range could not be read (not known how): the default of IANA, 49152-65535, is assumed; --range sets another"
	if got := advice.Limits(m)[0]; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// How many sockets that concerns is said too, where there are any.
func TestSocketsOfHiddenProcesses(t *testing.T) {
	t.Parallel()
	live := source.Socket{Proto: source.TCP, State: source.Established, Inode: 1, Process: source.NoProcess}
	seen, waiting := live, live
	seen.Process = 0
	waiting.State, waiting.Inode = source.TimeWait, 0
	for n, want := range map[int]string{0: "(--pid=host)", 1: "; 1 socket belongs to processes that can't be seen", 41: "; 41 sockets belong to processes that can't be seen"} {
		m := &source.Moment{Limits: []source.Limit{{Code: source.LimitOtherPIDs}}, Snapshots: make([]source.Snapshot, 2)}
		m.Snapshots[0].Sockets = []source.Socket{seen, waiting}
		for range n {
			m.Snapshots[1].Sockets = append(m.Snapshots[1].Sockets, live)
		}
		if got := advice.Limits(m)[0]; !strings.HasSuffix(got, want) {
			t.Errorf("%d sockets: %q, want %q at the end", n, got, want)
		}
	}
}
