package evidence

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"ephtop/source"
	"ephtop/source/evidence/host"
	"ephtop/source/sysctl"
)

func sysctlPath(name string) string { return "/proc/sys/" + strings.ReplaceAll(name, ".", "/") }

// sysctls reads the settings and the files that set them.
func (h *gatherer) sysctls(context.Context) source.Sysctls {
	var config sysctlConfig
	if h.opt.Into == nil {
		config = h.sysctlConfig()
	}
	s := source.Sysctls{Files: config.files}
	any := false
	for _, known := range sysctlsOfInterest {
		setting := h.sysctl(known)
		setting.Set = config.assignments(known.name)
		setting.Origin = origin(&setting)
		any = any || setting.OK()
		s.Settings = append(s.Settings, setting)
	}
	s.Status = read("")
	if !any {
		s.Status = notReadable("no setting could be read under /proc/sys")
	}
	return s
}

func (h *gatherer) sysctl(known knownSysctl) source.Sysctl {
	s := source.Sysctl{Name: known.name, Status: read("")}
	data, err := h.Read(sysctlPath(known.name))
	switch {
	case err != nil && errors.Is(err, fs.ErrNotExist):
		s.Status = notThere("the kernel has no such setting, or not in this network namespace")
		return s
	case err != nil:
		s.Status = notReadable("%s", host.Reason(err))
		return s
	}
	s.Value = strings.Join(strings.Fields(string(data)), " ")
	s.Default, s.DefaultKnown, s.DefaultNote = known.normal(h, s.Value)
	return s
}

func origin(s *source.Sysctl) source.SysctlOrigin {
	switch {
	case !s.OK():
		return source.OriginUnknown
	case len(s.Set) > 0 && sameValue(s.Name, s.Set[len(s.Set)-1].Value, s.Value):
		return source.OriginFile
	case len(s.Set) > 0:
		return source.OriginChanged
	case !s.DefaultKnown:
		return source.OriginUnknown
	case s.Differs():
		return source.OriginUnexplained
	}
	return source.OriginDefault
}

// sameValue reports whether two texts set the same.
func sameValue(name, a, b string) bool {
	if name == reservedPorts {
		ports, ok := portsOf(a)
		if others, too := portsOf(b); ok && too {
			return ports == others
		}
	}
	return slices.Equal(strings.Fields(a), strings.Fields(b))
}

// portsOf reads a list like "8080,40000-40009".
func portsOf(list string) (ports source.PortSet, ok bool) {
	ranges, err := sysctl.ParsePorts(list)
	for _, r := range ranges {
		ports.AddRange(r)
	}
	return ports, err == nil
}
