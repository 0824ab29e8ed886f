//go:build amd64 || arm64

package tables

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// loadWith loads with some capabilities and no others.
func loadWith(capabilities ...int) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with its rights
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		for _, c := range capabilities {
			data[c/32].Effective |= 1 << (c % 32)
			data[c/32].Permitted |= 1 << (c % 32)
		}
		if err := unix.Capset(&header, &data[0]); err != nil {
			done <- err
			return
		}
		e, err := Load()
		if err == nil {
			err = e.Close()
		}
		done <- err
	}()
	return <-done
}

// Who lacks a right is told which, in the words of capabilities(7).
func TestRights(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root to have rights to give away")
	}
	for _, test := range []struct {
		name         string
		capabilities []int
		want         string
	}{
		// First, as cilium remembers what a process was refused.
		{"both", []int{unix.CAP_BPF, unix.CAP_PERFMON}, ""},
		{"CAP_SYS_ADMIN", []int{unix.CAP_SYS_ADMIN}, ""},
		{"none", nil, "needs CAP_BPF and CAP_PERFMON"},
		{"CAP_BPF", []int{unix.CAP_BPF}, "needs CAP_PERFMON"},
		{"CAP_PERFMON", []int{unix.CAP_PERFMON}, "needs CAP_BPF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := loadWith(test.capabilities...)
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, unix.EPERM) || errors.Is(err, ErrUnsupported) {
				t.Fatalf("%v", err)
			}
			if text := err.Error(); !strings.Contains(text, test.want) || strings.Contains(text, "MEMLOCK") || strings.Contains(text, "\n") {
				t.Errorf("%q, want %q", text, test.want)
			}
		})
	}
}

// What the kernel lacks or refuses is said in one line.
func TestReasons(t *testing.T) {
	t.Parallel()
	verifier := fmt.Errorf("program walk_tcp: load program: %w", &ebpf.VerifierError{Cause: unix.EACCES, Log: []string{"0: R1=ctx()", strings.Repeat("long ", 100), "R1 invalid mem access 'scalar'", "processed 12 insns (limit 1000000)"}})
	descriptors := fmt.Errorf("probe: %w", &ebpf.VerifierError{Cause: fmt.Errorf("map create: %w", unix.EMFILE), Log: []string{"[13] FUNC_PROTO (anon) return=12 args=(12 sk)"}})
	for _, test := range []struct {
		err  error
		want string
	}{
		{explain([]error{descriptors}), "the kernel's socket tables can't be read here: probe: map create: too many open files"},
		{explainBTF(os.ErrNotExist), "the kernel's socket tables can't be read here: the kernel does not describe its types (CONFIG_DEBUG_INFO_BTF)"},
		{explain([]error{errors.New("direct: no kfunc\nmore"), verifier}),
			"the kernel's socket tables can't be read here: direct: no kfunc; program walk_tcp: the kernel's verifier says: R1 invalid mem access 'scalar'"},
	} {
		if test.err.Error() != test.want || !errors.Is(test.err, ErrUnsupported) {
			t.Errorf("%q, want %q", test.err, test.want)
		}
	}
}
