package advice

import (
	"fmt"
	"strings"

	"ephtop/source"
)

// What to type depends on the system, and nothing else here does. What a
// system does with ports is in source.Settings.
func (t *teller) linux() bool   { return t.st.Moment.OS == "linux" }
func (t *teller) windows() bool { return t.st.Moment.OS == "windows" }
func (t *teller) bsd() bool     { return t.st.Moment.OS == "darwin" || t.st.Moment.OS == "freebsd" }

// setRange is the command that sets the range, "" where none is known.
func (t *teller) setRange(r source.PortRange) string {
	switch {
	case t.linux():
		return fmt.Sprintf(`sysctl -w net.ipv4.ip_local_port_range="%d %d"`, r.Low, r.High)
	case t.bsd():
		return fmt.Sprintf("sysctl net.inet.ip.portrange.first=%d net.inet.ip.portrange.last=%d", r.Low, r.High)
	case t.windows():
		return fmt.Sprintf("netsh int ipv4 set dynamicport %s start=%d num=%d", t.proto(), r.Low, r.Count())
	}
	return ""
}

// reserve is the command that keeps ports from being given away. The setting
// is replaced as a whole, so it names what is reserved already as well.
func (t *teller) reserve(numbers []uint16) string {
	switch {
	case t.linux():
		return `sysctl -w net.ipv4.ip_local_reserved_ports="` + portList(t.set.Reserved, numbers) + `"`
	case t.windows():
		var lines []string
		for _, n := range numbers {
			lines = append(lines, fmt.Sprintf("netsh int ipv4 add excludedportrange protocol=tcp startport=%d numberofports=1", n))
		}
		return strings.Join(lines, "\n")
	}
	return ""
}

// reserveForGood is the command that has the same done at the next start.
func (t *teller) reserveForGood(numbers []uint16) string {
	return "echo 'net.ipv4.ip_local_reserved_ports = " + portList(t.set.Reserved, numbers) + "' > /etc/sysctl.d/60-reserved-ports.conf"
}

// list gives the command of the system at hand: Linux, BSD or Windows.
func (t *teller) list(linux, bsd, windows string) string {
	switch {
	case t.linux():
		return linux
	case t.windows():
		return windows
	}
	return bsd
}
