package command_test

import (
	"os/exec"
	"strings"
	"testing"

	"ephtop/source/netlab"
)

// What doctor says to type where a firewall refuses answers is typed, and helps: whoever's
// chain it is that refuses them, and whatever its name.
func TestKernelLetAnswersIn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, refuse, want string }{
		{"a table of nft with a name of its own", `nft 'table inet own { chain in { type filter hook input priority 0; policy drop; }; }'`, "nft insert rule inet own in "},
		{"two of them", `nft 'table ip a { chain in { type filter hook input priority 0; policy drop; }; }
			table inet b { chain pre { type filter hook prerouting priority 0; policy accept; tcp dport 1024-65535 drop; }; }'`, "nft insert rule inet b pre "},
		{"iptables in nf_tables", "iptables-nft -A INPUT -p tcp -j DROP", "iptables-nft -I INPUT "},
		{"iptables of the older kind", "iptables-legacy -P INPUT DROP", "iptables-legacy -I INPUT "},
		{"its table for marks", "iptables-legacy -t mangle -A INPUT -p tcp -j DROP", "iptables-legacy -t mangle -I INPUT "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tool, _, _ := strings.Cut(test.refuse, " ")
			for _, tool := range []string{"nft", tool} {
				if _, err := exec.LookPath(tool); err != nil {
					t.Skip(err)
				}
			}
			h := netlab.New(t, "")
			h.Output("sh", "-c", test.refuse)
			told := false
			for _, command := range letIn(t, h) {
				told = told || strings.HasPrefix(command, test.want)
				h.Output("sh", "-c", command)
			}
			if !told {
				t.Errorf("doctor says nothing of %q", test.want)
			}
			if left := letIn(t, h); len(left) > 0 {
				t.Errorf("when that was typed, it says %q", left)
			}
		})
	}
}

// letIn gives the commands by which doctor lets answers in.
func letIn(t *testing.T, h *netlab.Host) (commands []string) {
	t.Helper()
	_, d := consultHost(t, h, "--for", "1s")
	for _, p := range d.Points {
		for _, step := range p.Next {
			if command, ok := strings.CutPrefix(step, "let answers in: "); ok {
				// There is no process in it that stays.
				commands = append(commands, strings.TrimPrefix(command, "nsenter -t PID -n "))
			}
		}
	}
	return commands
}
