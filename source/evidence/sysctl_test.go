package evidence

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// sysctlTree is a host whose settings come from everywhere.
func sysctlTree() map[string]string {
	return map[string]string{
		"proc/sys/kernel/osrelease":                   "6.18.44\n",
		"proc/sys/net/ipv4/ip_local_port_range":       "1024\t65000\n",
		"proc/sys/net/ipv4/ip_local_reserved_ports":   "8080,40000-40009\n",
		"proc/sys/net/ipv4/tcp_tw_reuse":              "2\n",
		"proc/sys/net/ipv4/tcp_tw_reuse_delay":        "1000\n",
		"proc/sys/net/ipv4/tcp_fin_timeout":           "30\n",
		"proc/sys/net/ipv4/tcp_max_tw_buckets":        "131072\n",
		"proc/sys/net/ipv4/tcp_ehash_entries":         "-262144\n",
		"proc/sys/net/ipv4/tcp_timestamps":            "0\n",
		"proc/sys/net/ipv4/tcp_max_orphans":           "4096\n",
		"proc/sys/net/ipv4/tcp_keepalive_time":        "600\n",
		"proc/sys/net/core/somaxconn":                 "4096\n",
		"proc/sys/net/netfilter/nf_conntrack_max":     "262144\n",
		"proc/sys/net/netfilter/nf_conntrack_buckets": "65536\n",
		"etc/sysctl.d/50-range.conf":                  "net/ipv4/ip_local_port_range = 1024  65000\n",
		"usr/lib/sysctl.d/50-range.conf":              "net.ipv4.ip_local_port_range = 2000 3000\n",
		"usr/lib/sysctl.d/99-vendor.conf":             "# vendor\n-net.ipv4.tcp_fin_timeout=20\nnet.ipv4.tcp_keepalive_* = 600\nnonsense\n",
		"run/sysctl.d/10-first.conf":                  "net.ipv4.tcp_fin_timeout = 10\nnet.ipv4.tcp_timestamps = 0\n",
		"etc/sysctl.conf":                             "; last\nnet.ipv4.tcp_fin_timeout = 30\nnet.ipv4.ip_local_reserved_ports = 40000-40004,40005-40009,8080\nnet.ipv4.tcp_tw_recycle = 1\nnet.ipv4.tcp_tw_reuse = 1\n",
		"etc/sysctl.d/README":                         "net.ipv4.tcp_timestamps = 7\n",
	}
}

// sysctlsOf reads a tree and returns the settings by name.
func sysctlsOf(t *testing.T, root string) (source.Sysctls, map[string]source.Sysctl) {
	t.Helper()
	s := newGatherer(Options{Root: root, Now: time.Now()}.withDefaults()).sysctls(t.Context())
	byName := make(map[string]source.Sysctl)
	for _, setting := range s.Settings {
		byName[setting.Name] = setting
	}
	return s, byName
}

func TestSysctlOrigins(t *testing.T) {
	_, settings := sysctlsOf(t, writeTree(t, sysctlTree()))
	tests := []struct {
		name    string
		origin  source.SysctlOrigin
		differs bool
		set     []source.SysctlAssignment
	}{
		{"net.ipv4.ip_local_port_range", source.OriginFile, true, // /etc hides the file of the same name in /usr/lib
			[]source.SysctlAssignment{assigned("/etc/sysctl.d/50-range.conf", 1, "1024  65000")}},
		{"net.ipv4.tcp_fin_timeout", source.OriginFile, true, // names decide the order, not directories
			[]source.SysctlAssignment{assigned("/run/sysctl.d/10-first.conf", 1, "10"), assigned("/usr/lib/sysctl.d/99-vendor.conf", 2, "20"), assigned("/etc/sysctl.conf", 2, "30")}},
		{reservedPorts, source.OriginFile, true, // the kernel joins ranges
			[]source.SysctlAssignment{assigned("/etc/sysctl.conf", 3, "40000-40004,40005-40009,8080")}},
		{"net.ipv4.tcp_keepalive_time", source.OriginFile, true, // by a pattern
			[]source.SysctlAssignment{assigned("/usr/lib/sysctl.d/99-vendor.conf", 3, "600")}},
		{"net.ipv4.tcp_tw_reuse", source.OriginChanged, false, []source.SysctlAssignment{assigned("/etc/sysctl.conf", 5, "1")}},
		{"net.ipv4.tcp_timestamps", source.OriginFile, true, []source.SysctlAssignment{assigned("/run/sysctl.d/10-first.conf", 2, "0")}},
		{"net.ipv4.tcp_tw_recycle", source.OriginUnknown, false, []source.SysctlAssignment{assigned("/etc/sysctl.conf", 4, "1")}}, // no such setting any more
		{"net.ipv4.tcp_max_orphans", source.OriginUnexplained, true, nil},
		{"net.ipv4.tcp_max_tw_buckets", source.OriginDefault, false, nil},
		{"net.core.somaxconn", source.OriginDefault, false, nil},
		{"net.netfilter.nf_conntrack_max", source.OriginUnexplained, true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := settings[tt.name]
			if got.Origin != tt.origin || got.Differs() != tt.differs {
				t.Errorf("origin %s, differs %v, want %s, %v: %+v", got.Origin, got.Differs(), tt.origin, tt.differs, got)
			}
			if diff := cmp.Diff(tt.set, got.Set); diff != "" {
				t.Errorf("set (-want +got):\n%s", diff)
			}
		})
	}
	if gone := settings["net.ipv4.tcp_tw_recycle"]; gone.Outcome != source.OutcomeNotThere {
		t.Errorf("tcp_tw_recycle is %+v", gone.Status)
	}
}

func TestSysctlDefaultsOfOlderKernels(t *testing.T) {
	tests := []struct {
		release, name, value string
		want                 string
		known                bool
	}{
		{"6.18.44-fc", "net.ipv4.tcp_tw_reuse", "2", "2", true},
		{"4.18.0-553.el8", "net.ipv4.tcp_tw_reuse", "0", "0", true},
		{"4.1.52", "net.ipv4.ip_local_port_range", "32768 61000", "32768 61000", true},
		{"5.3.0", "net.core.somaxconn", "128", "128", true},
		{"unreadable", "net.core.somaxconn", "4096", "4096", true},
		{"5.10.0", "net.ipv4.tcp_max_tw_buckets", "65536", "", false},
		{"5.10.0", "net.netfilter.nf_conntrack_max", "262144", "262144", true},
		{"6.1.0", "net.netfilter.nf_conntrack_max", "65536", "65536", true},
		{"6.1.0", "net.netfilter.nf_conntrack_max", "524288", "524288", true}, // hashsize=65536
	}
	for _, tt := range tests {
		t.Run(tt.release+" "+tt.name, func(t *testing.T) {
			_, settings := sysctlsOf(t, writeTree(t, map[string]string{
				"proc/sys/kernel/osrelease":                   tt.release + "\n",
				"proc/sys/net/netfilter/nf_conntrack_buckets": "65536\n",
				sysctlPath(tt.name):                           tt.value + "\n",
			}))
			got := settings[tt.name]
			if got.Default != tt.want || got.DefaultKnown != tt.known || got.Differs() {
				t.Errorf("default %q, known %v, differs %v; want %q, %v, false", got.Default, got.DefaultKnown, got.Differs(), tt.want, tt.known)
			}
		})
	}
}

func TestSysctlFiles(t *testing.T) {
	root := writeTree(t, sysctlTree())
	old := time.Now().Add(-30 * 24 * time.Hour)
	for _, name := range []string{"etc/sysctl.conf", "run/sysctl.d/10-first.conf", "usr/lib/sysctl.d/99-vendor.conf"} {
		if err := os.Chtimes(filepath.Join(root, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	s, _ := sysctlsOf(t, root)
	var got, recent, problems []string
	for _, f := range s.Files {
		got = append(got, f.Path)
		if f.Recent {
			recent = append(recent, f.Path)
		}
		if f.Problem != "" {
			problems = append(problems, f.Path+": "+f.Problem)
		}
	}
	want := []string{"/run/sysctl.d/10-first.conf", "/etc/sysctl.d/50-range.conf", "/usr/lib/sysctl.d/99-vendor.conf", "/etc/sysctl.conf"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/etc/sysctl.d/50-range.conf"}, recent); diff != "" {
		t.Errorf("recent (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/usr/lib/sysctl.d/99-vendor.conf: no assignment: nonsense"}, problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if i := slices.IndexFunc(s.Files, func(f source.SysctlFile) bool { return f.Path == "/etc/sysctl.d/50-range.conf" }); i < 0 ||
		!slices.Equal(s.Files[i].Names, []string{"net.ipv4.ip_local_port_range"}) {
		t.Errorf("50-range.conf is not said to set the range: %+v", s.Files)
	}
}

func TestSysctlConfIsReadWhereALinkPutsIt(t *testing.T) {
	root := writeTree(t, map[string]string{
		sysctlPath("net.ipv4.tcp_fin_timeout"): "20\n",
		"etc/sysctl.conf":                      "net.ipv4.tcp_fin_timeout = 10\n",
		"usr/lib/sysctl.d/zz.conf":             "net.ipv4.tcp_fin_timeout = 20\n",
		"usr/lib/sysctl.d/hidden.conf":         "net.ipv4.tcp_fin_timeout = 30\n",
	})
	if err := os.MkdirAll(filepath.Join(root, "etc/sysctl.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"99-sysctl.conf": "../sysctl.conf", "hidden.conf": os.DevNull} {
		if err := os.Symlink(to, filepath.Join(root, "etc/sysctl.d", link)); err != nil {
			t.Skip("no links here: ", err)
		}
	}
	_, settings := sysctlsOf(t, root)
	got := settings["net.ipv4.tcp_fin_timeout"]
	want := []source.SysctlAssignment{assigned("/etc/sysctl.d/99-sysctl.conf", 1, "10"), assigned("/usr/lib/sysctl.d/zz.conf", 1, "20")}
	if diff := cmp.Diff(want, got.Set); diff != "" || got.Origin != source.OriginFile {
		t.Errorf("origin %s, set (-want +got):\n%s", got.Origin, diff)
	}
}

func TestParseSysctlConf(t *testing.T) {
	tests := []struct {
		name, text string
		want       []sysctlEntry
		problem    string
	}{
		{"comments and blanks", "# a\n\n ; b\n", nil, ""},
		{"dots", " net.ipv4.tcp_fin_timeout =  30 ", []sysctlEntry{{line: 1, key: "net/ipv4/tcp_fin_timeout", value: "30"}}, ""},
		{"slashes", "net/ipv4/conf/eth0.200/rp_filter=1", []sysctlEntry{{line: 1, key: "net/ipv4/conf/eth0.200/rp_filter", value: "1"}}, ""},
		{"dots with a slash in a name", "net.ipv4.conf.eth0/200.rp_filter=1",
			[]sysctlEntry{{line: 1, key: "net/ipv4/conf/eth0.200/rp_filter", value: "1"}}, ""},
		{"failure ignored", "-net.core.somaxconn = 1", []sysctlEntry{{line: 1, key: "net/core/somaxconn", value: "1"}}, ""},
		{"pattern", "net.ipv4.tcp_*=1", []sysctlEntry{{line: 1, key: "net/ipv4/tcp_*", value: "1", pattern: true}}, ""},
		{"exclusion", "-net.core.somaxconn", []sysctlEntry{{line: 1, key: "net/core/somaxconn", exclude: true}}, ""},
		{"nonsense", "hello\n=1\na=b", []sysctlEntry{{line: 3, key: "a", value: "b"}}, "no assignment: hello"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problem := parseSysctlConf([]byte(tt.text))
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(sysctlEntry{})); diff != "" || problem != tt.problem {
				t.Errorf("problem %q, want %q; entries (-want +got):\n%s", problem, tt.problem, diff)
			}
		})
	}
}

func TestExcludedSettingsAreNotSetByPatterns(t *testing.T) {
	tests := []struct {
		name, text string
		want       []source.SysctlAssignment
	}{
		{"a pattern", "net.core.*=1", []source.SysctlAssignment{assigned("f", 1, "1")}},
		{"excluded later", "net.core.*=1\n-net.core.somaxconn", nil},
		{"named besides", "net.core.somaxconn=2\nnet.core.*=1", []source.SysctlAssignment{assigned("f", 1, "2")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			entries, _ := parseSysctlConf([]byte(tt.text))
			for i := range entries {
				entries[i].file = "f"
			}
			got := sysctlConfig{entries: entries}.assignments("net.core.somaxconn")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func assigned(file string, line int, value string) source.SysctlAssignment {
	return source.SysctlAssignment{File: file, Line: line, Value: value}
}
