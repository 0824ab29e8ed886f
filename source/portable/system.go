package portable

import (
	"context"
	"fmt"
	"os/user"
	"runtime"
	"strconv"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/host"
	gnet "github.com/shirou/gopsutil/v3/net"
	"github.com/shirou/gopsutil/v3/process"

	"ephtop/source"
)

// guard turns a panic into an error: gopsutil reads some texts of the system
// without looking whether they are long enough.
func guard(call func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("gopsutil failed: %v", r)
		}
	}()
	call()
	return nil
}

// ownProc keeps gopsutil to this host's /proc, whatever HOST_PROC says: the
// settings are this host's too.
func ownProc(ctx context.Context) context.Context {
	return context.WithValue(ctx, common.EnvKey, common.EnvMap{common.HostProcEnvKey: "/proc"})
}

// listConnections lists the TCP and UDP sockets. On Linux gopsutil would read
// /proc/PID/status for each row to get its users; elsewhere it has no such
// choice.
func listConnections(ctx context.Context) ([]gnet.ConnectionStat, error) {
	if runtime.GOOS == "linux" {
		return gnet.ConnectionsWithoutUidsWithContext(ownProc(ctx), "inet")
	}
	return gnet.ConnectionsWithContext(ctx, "inet")
}

// kernelRelease is the kernel's release, "" if unknown.
func kernelRelease() string {
	release, err := host.KernelVersion()
	if err != nil {
		return ""
	}
	return release
}

// describer looks up processes, and remembers the names of users.
type describer struct {
	users map[uint32]string
}

func newDescriber() *describer { return &describer{users: make(map[uint32]string)} }

// describe gives what can be known of a process but for its start; false if it
// has gone. What another user hides is left empty.
func (d *describer) describe(ctx context.Context, pid int32) (source.Process, bool) {
	ctx = ownProc(ctx)
	p := &process.Process{Pid: pid}
	out := source.Process{PID: pid}
	named := false
	err := guard(func() {
		if name, err := p.NameWithContext(ctx); err == nil {
			out.Name, named = name, true
		}
		if command, err := p.CmdlineWithContext(ctx); err == nil {
			out.Command = command
		}
		out.UID, out.User = d.owner(ctx, p)
	})
	if err != nil || !named {
		if there, err := process.PidExistsWithContext(ctx, pid); err == nil && !there {
			return out, false
		}
	}
	if runtime.GOOS == "linux" && len(out.Name) > commLength {
		out.Name = out.Name[:commLength] // gopsutil completes it from the command line
	}
	return out, true
}

// commLength is the length of a command name on Linux (TASK_COMM_LEN - 1).
const commLength = 15

// owner is the effective user of a process. Windows has no number for it.
func (d *describer) owner(ctx context.Context, p *process.Process) (uint32, string) {
	if runtime.GOOS == "windows" {
		name, err := p.UsernameWithContext(ctx)
		if err != nil {
			return 0, ""
		}
		return 0, name
	}
	uids, err := p.UidsWithContext(ctx)
	if err != nil || len(uids) == 0 {
		return 0, ""
	}
	// real, effective and saved; macOS gives the effective one alone
	uid := uint32(uids[min(1, len(uids)-1)])
	name, ok := d.users[uid]
	if !ok {
		name = strconv.FormatUint(uint64(uid), 10)
		if u, err := user.LookupId(name); err == nil {
			name = u.Username
		}
		d.users[uid] = name
	}
	return uid, name
}
