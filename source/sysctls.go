package source

import "time"

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
	Default      string       `json:"default"`
	DefaultKnown bool         `json:"default_known"`
	DefaultNote  string       `json:"default_note,omitempty"`
	Origin       SysctlOrigin `json:"origin"`
	// Set are the assignments in files, in the order in which they apply: the
	// last one counts.
	Set []SysctlAssignment `json:"set,omitempty"`
}

// Differs reports whether the value in force is not the kernel's default. It is
// false where the default is not known.
func (s Sysctl) Differs() bool {
	return s.OK() && s.DefaultKnown && s.Value != s.Default
}

// SysctlAssignment is a line in a file that sets a value.
type SysctlAssignment struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Value string `json:"value"`
}

// SysctlOrigin says where the value in force comes from, as far as it can be told.
type SysctlOrigin string

const (
	// OriginDefault is the kernel's default, and no file sets another.
	OriginDefault SysctlOrigin = "default"
	// OriginFile is what the last file that sets it says.
	OriginFile SysctlOrigin = "file"
	// OriginChanged is another value than the last file says: it was changed
	// at run time, or the file was not applied since it changed.
	OriginChanged SysctlOrigin = "changed"
	// OriginUnexplained is not the default, and no file sets it.
	OriginUnexplained SysctlOrigin = "unexplained"
	// OriginUnknown is a value without a known default that no file sets, or
	// one that can't be read.
	OriginUnknown SysctlOrigin = "unknown"
)

// SysctlFile is a file of settings.
type SysctlFile struct {
	Path     string    `json:"path"`
	Modified time.Time `json:"modified"`
	// Recent says that it changed within the last seven days.
	Recent bool `json:"recent"`
	// Names are the settings among Sysctls.Settings that it sets.
	Names []string `json:"names,omitempty"`
	// Problem says why the file, or a line of it, could not be read.
	Problem string `json:"problem,omitempty"`
}
