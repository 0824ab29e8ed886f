//go:build !linux

package portable

import (
	"context"
	"os/user"
	"runtime"
	"strconv"

	"github.com/shirou/gopsutil/v3/process"

	"ephtop/source"
)

// describer looks up processes, and remembers the names of users.
type describer struct {
	users map[uint32]string
}

func newDescriber() *describer { return &describer{users: make(map[uint32]string)} }

// start is when a process began, in milliseconds since 1970.
func (*describer) start(ctx context.Context, pid int32) (uint64, error) {
	var ms int64
	var err error
	p := &process.Process{Pid: pid}
	if failed := guard(func() { ms, err = p.CreateTimeWithContext(ctx) }); failed != nil {
		return 0, failed
	}
	if err != nil {
		return 0, err
	}
	return uint64(max(ms, 0)), nil
}

// describe gives what can be known of a process but for its start; false if it
// has gone. What another user hides is left empty.
func (d *describer) describe(ctx context.Context, pid int32) (source.Process, bool) {
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
	return out, true
}

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
