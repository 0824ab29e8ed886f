//go:build !linux

package portable

import (
	"context"
	"os/user"
	"runtime"
	"strconv"

	"github.com/shirou/gopsutil/v3/process"

	"ephtop/source"
	"ephtop/source/guard"
)

// describer looks up processes, and remembers the names of users. Those may be
// asked of a server (a directory, a domain), which is not waited for: there is the
// number, or nothing, until it answers.
type describer struct {
	users map[uint32]string
	names guard.Aside
}

// nameService is what knows the names of users.
const nameService = "the name service"

func (d *describer) late() string { return d.names.Late() }

func newDescriber() *describer { return &describer{users: make(map[uint32]string)} }

// start is when a process began, in milliseconds since 1970.
func (*describer) start(ctx context.Context, pid int32) (uint64, error) {
	var ms int64
	p := &process.Process{Pid: pid}
	if err := guard.Do(func() (err error) { ms, err = p.CreateTimeWithContext(ctx); return err }); err != nil {
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
	err := guard.Do(func() error {
		if name, err := p.NameWithContext(ctx); err == nil {
			out.Name, named = name, true
		}
		if command, err := p.CmdlineWithContext(ctx); err == nil {
			out.Command = command
		}
		out.UID, out.User = d.owner(ctx, p)
		return nil
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
		var name string
		if d.names.Do(nameService, func() { name, _ = p.UsernameWithContext(context.WithoutCancel(ctx)) }) != nil {
			return 0, ""
		}
		return 0, name // "" where it has none
	}
	uids, err := p.UidsWithContext(ctx)
	if err != nil || len(uids) == 0 {
		return 0, ""
	}
	// real, effective and saved; macOS gives the effective one alone
	uid := uint32(uids[min(1, len(uids)-1)])
	if name, ok := d.users[uid]; ok {
		return uid, name
	}
	number := strconv.FormatUint(uint64(uid), 10)
	name := number
	if d.names.Do(nameService, func() {
		if u, err := user.LookupId(number); err == nil {
			name = u.Username
		}
	}) != nil {
		return uid, number
	}
	d.users[uid] = name
	return uid, name
}
