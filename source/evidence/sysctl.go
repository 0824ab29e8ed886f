package evidence

import (
	"strings"

	"ephtop/source"
)

func sysctlPath(name string) string { return "/proc/sys/" + strings.ReplaceAll(name, ".", "/") }

// sysctls reads the settings and the files that set them.
func (h *host) sysctls() source.Sysctls {
	config := h.sysctlConfig()
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

func (h *host) sysctl(known knownSysctl) source.Sysctl {
	s := source.Sysctl{Name: known.name, Status: read("")}
	data, err := h.read(sysctlPath(known.name))
	switch {
	case err != nil && isMissing(err):
		s.Status = notThere("the kernel has no such setting, or not in this network namespace")
		return s
	case err != nil:
		s.Status = notReadable("%s", reason(err))
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
	case len(s.Set) > 0 && canonical(s.Name, s.Set[len(s.Set)-1].Value) == canonical(s.Name, s.Value):
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

// canonical writes a value so that equal ones are equal texts.
func canonical(name, value string) string {
	if name == reservedPorts {
		if ports, ok := savedPorts(strings.ReplaceAll(value, "-", ":")); ok {
			return ports.String()
		}
	}
	return strings.Join(strings.Fields(value), " ")
}
