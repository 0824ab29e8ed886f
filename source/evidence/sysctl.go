package evidence

import (
	"strings"
	"time"
)

// Sysctls are the settings of the kernel that matter for ephemeral ports, and
// the files that set them.
type Sysctls struct {
	Status
	Settings []Sysctl     `json:"settings,omitempty"`
	Files    []SysctlFile `json:"files,omitempty"` // in the order in which they apply
}

// Sysctl is one setting.
type Sysctl struct {
	Name string `json:"name"` // "net.ipv4.tcp_tw_reuse"
	// Status is NotThere where the kernel has no such setting, or not in this
	// network namespace.
	Status
	Value string `json:"value,omitempty"` // in force
	// Default is the kernel's own value, where it is known on this host. Some
	// defaults scale with memory: DefaultNote says how they are told.
	Default      string `json:"default"`
	DefaultKnown bool   `json:"default_known"`
	DefaultNote  string `json:"default_note,omitempty"`
	Origin       Origin `json:"origin"`
	// Set are the assignments in files, in the order in which they apply: the
	// last one counts.
	Set []Assignment `json:"set,omitempty"`
}

// Differs tells whether the value in force is not the kernel's default. It is
// false where the default is not known.
func (s Sysctl) Differs() bool {
	return s.OK() && s.DefaultKnown && canonical(s.Name, s.Value) != canonical(s.Name, s.Default)
}

// Assignment is a line in a file that sets a value.
type Assignment struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Value string `json:"value"`
}

// Origin says where the value in force comes from, as far as it can be told.
type Origin string

const (
	// OriginDefault is the kernel's default, and no file sets another.
	OriginDefault Origin = "default"
	// OriginFile is what the last file that sets it says.
	OriginFile Origin = "file"
	// OriginChanged is another value than the last file says: it was changed
	// at run time, or the file was not applied since it changed.
	OriginChanged Origin = "changed"
	// OriginUnexplained is not the default, and no file sets it.
	OriginUnexplained Origin = "unexplained"
	// OriginUnknown is a value without a known default that no file sets, or
	// one that can't be read.
	OriginUnknown Origin = "unknown"
)

// SysctlFile is a file of settings.
type SysctlFile struct {
	Path     string    `json:"path"`
	Modified time.Time `json:"modified"`
	// Recent says that it changed within the time that Options.Recent gives.
	Recent bool `json:"recent"`
	// Names are the settings among Sysctls.Settings that it sets.
	Names []string `json:"names,omitempty"`
	// Problem says why the file, or a line of it, could not be read.
	Problem string `json:"problem,omitempty"`
}

func sysctlPath(name string) string { return "/proc/sys/" + strings.ReplaceAll(name, ".", "/") }

// sysctls reads the settings and the files that set them.
func (h *host) sysctls() Sysctls {
	config := h.sysctlConfig()
	s := Sysctls{Files: config.files}
	read := false
	for _, known := range sysctlsOfInterest {
		setting := h.sysctl(known)
		setting.Set = config.assignments(known.name)
		setting.Origin = origin(&setting)
		read = read || setting.OK()
		s.Settings = append(s.Settings, setting)
	}
	s.Status = Status{Outcome: Read}
	if !read {
		s.Status = notReadable("no setting could be read under /proc/sys")
	}
	return s
}

func (h *host) sysctl(known knownSysctl) Sysctl {
	s := Sysctl{Name: known.name, Status: Status{Outcome: Read}}
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

func origin(s *Sysctl) Origin {
	switch {
	case !s.OK():
		return OriginUnknown
	case len(s.Set) > 0 && canonical(s.Name, s.Set[len(s.Set)-1].Value) == canonical(s.Name, s.Value):
		return OriginFile
	case len(s.Set) > 0:
		return OriginChanged
	case !s.DefaultKnown:
		return OriginUnknown
	case s.Differs():
		return OriginUnexplained
	}
	return OriginDefault
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
