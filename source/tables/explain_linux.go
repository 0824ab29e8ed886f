//go:build amd64 || arm64

package tables

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// explainBTF says why the description of the kernel's types can't be read.
func explainBTF(err error) error {
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, ebpf.ErrNotSupported) {
		return fmt.Errorf("%w: the kernel does not describe its types (CONFIG_DEBUG_INFO_BTF)", ErrUnsupported)
	}
	return fmt.Errorf("read the kernel's types: %w", shorten(err))
}

// explainRefusal says why we may not. Cilium's own words would blame a limit of
// memory.
func explainRefusal(err error) error {
	if missing := missingCapabilities(); missing != "" {
		return fmt.Errorf("it needs %s: %w", missing, unix.EPERM)
	}
	return fmt.Errorf("the bpf system call is refused though we have the right to it, by a sandbox or lockdown: %w", unix.EPERM)
}

// missingCapabilities names what bpf(2) asks of us and we have not.
func missingCapabilities() string {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData // of capabilities 0 to 31, and from 32
	if unix.Capget(&header, &data[0]) != nil {
		return "CAP_BPF and CAP_PERFMON"
	}
	has := func(capability int) bool { return data[capability/32].Effective&(1<<(capability%32)) != 0 }
	if has(unix.CAP_SYS_ADMIN) {
		return ""
	}
	var missing []string
	if !has(unix.CAP_BPF) {
		missing = append(missing, "CAP_BPF")
	}
	if !has(unix.CAP_PERFMON) {
		missing = append(missing, "CAP_PERFMON")
	}
	return strings.Join(missing, " and ")
}

// explain makes one line of why no variant works.
func explain(errs []error) error {
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = shorten(err).Error()
	}
	err := errors.New(strings.Join(texts, "; "))
	if lockdown, _ := os.ReadFile("/sys/kernel/security/lockdown"); strings.Contains(string(lockdown), "[confidentiality]") {
		return fmt.Errorf("%w: the kernel is locked down (lockdown=confidentiality): %w", ErrUnsupported, err)
	}
	return fmt.Errorf("%w: %w", ErrUnsupported, err)
}

// shorten makes one line of an error: of a refusal by the verifier, which has
// hundreds, the last that says something.
func shorten(err error) error {
	var v *ebpf.VerifierError
	if !errors.As(err, &v) {
		text, _, _ := strings.Cut(err.Error(), "\n")
		return errors.New(clip(text))
	}
	name, _, _ := strings.Cut(err.Error(), ": ")
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM) {
		return errors.New(clip(name + ": " + v.Cause.Error())) // whatever the verifier said before
	}
	why := v.Cause.Error()
	for _, line := range v.Log {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "processed ") && !strings.HasPrefix(line, "(") {
			why = line
		}
	}
	return errors.New(clip(name + ": the kernel's verifier says: " + why))
}

func clip(text string) string {
	const most = 200
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
