package evidence

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"strconv"
	"strings"

	"ephtop/source"
	"ephtop/source/evidence/host"
)

// resources reads how far the processes asked for are from their limits, and
// the host from its own.
func (h *gatherer) resources(ctx context.Context) source.Resources {
	r := source.Resources{Status: read("")}
	if data, err := h.Read("/proc/sys/fs/file-nr"); err == nil {
		if f := strings.Fields(string(data)); len(f) == 3 {
			r.Files, r.MaxFiles = amount(f[0]), amount(f[2])
		}
	}
	for i := range h.opt.Processes {
		p := &h.opt.Processes[i]
		if ctx.Err() != nil {
			break
		}
		d, err := h.descriptors(p)
		switch {
		case err == nil:
			r.Descriptors = append(r.Descriptors, d)
		case !os.IsNotExist(err):
			r.Reason = fmt.Sprintf("the descriptors of process %d: %s", p.PID, host.Reason(err))
		}
	}
	if len(r.Descriptors) == 0 && r.Reason != "" {
		r.Outcome = source.OutcomeNotReadable
	}
	return r
}

// descriptors reads those of one process.
func (h *gatherer) descriptors(p *source.Process) (source.Descriptors, error) {
	dir := "/proc/" + strconv.Itoa(int(p.PID))
	d := source.Descriptors{PID: p.PID, Name: p.Name}
	data, err := h.Read(dir + "/limits")
	if err != nil {
		return d, err
	}
	d.Limit = parseLimit(string(data))
	if d.Open, err = h.openFiles(dir + "/fd"); err != nil {
		return d, err
	}
	if h.Root == "/" {
		if info, err := buildinfo.ReadFile(dir + "/exe"); err == nil {
			d.Runtime = info.GoVersion
		}
	}
	return d, nil
}

// openFiles counts descriptors: the size of the directory says how many there
// are since Linux 6.2 (proc_fd_getattr), where it was 0 before.
func (h *gatherer) openFiles(dir string) (int, error) {
	if info, err := os.Stat(h.Path(dir)); err != nil {
		return 0, err
	} else if h.Root == "/" && info.Size() > 0 {
		return int(info.Size()), nil
	}
	f, err := os.Open(h.Path(dir))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	return len(names), err
}

// parseLimit finds the soft limit of open files in /proc/PID/limits.
func parseLimit(limits string) int {
	for line := range strings.Lines(limits) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			if f := strings.Fields(rest); len(f) > 0 {
				return amount(f[0])
			}
		}
	}
	return 0
}

// noLimit is from where on a number stands for none: what can be counted on no
// host.
const noLimit = 1 << 40

// amount reads a number; 0 stands for "unlimited" and for what is none.
func amount(s string) int {
	if n, err := strconv.Atoi(s); err == nil && n < noLimit {
		return n
	}
	return 0
}
