package recording

import (
	"strconv"
	"time"
	"unicode/utf8"

	"ephtop/source"
)

// appendSeconds appends a duration as seconds, exactly and without trailing
// zeros.
func appendSeconds(b []byte, d time.Duration) []byte {
	n := uint64(d)
	if d < 0 {
		b = append(b, '-')
		n = -n
	}
	b = strconv.AppendUint(b, n/1e9, 10)
	rest := n % 1e9
	if rest == 0 {
		return b
	}
	b = append(b, '.')
	for unit := uint64(1e8); rest > 0; unit /= 10 {
		b = append(b, byte('0'+rest/unit))
		rest %= unit
	}
	return b
}

const hexDigits = "0123456789abcdef"

// appendString appends a JSON string. Bytes that are not UTF-8 become lone
// surrogates; see the package comment.
func appendString(b []byte, s string) []byte {
	if len(s) > maxString {
		s = s[:maxString]
	}
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(b, '\\', 'u', 'd', 'c', hexDigits[c>>4], hexDigits[c&15])
			} else {
				b = append(b, s[i:i+size]...)
			}
			i += size
			continue
		}
		i++
	}
	return append(b, '"')
}

// clip is what appendString keeps of a text.
func clip(s string) string { return s[:min(len(s), maxString)] }

// fields appends the fields of one object, those that differ from a base.
type fields struct {
	b     []byte
	first bool
}

func (f *fields) open() {
	f.b = append(f.b, '{')
	f.first = true
}

func (f *fields) close() {
	f.b = append(f.b, '}')
	f.first = false
}

// key begins a field.
func (f *fields) key(name string) {
	if !f.first {
		f.b = append(f.b, ',')
	}
	f.first = false
	f.b = append(f.b, '"')
	f.b = append(f.b, name...)
	f.b = append(f.b, '"', ':')
}

func (f *fields) uint(name string, was, is uint64) {
	if was != is {
		f.key(name)
		f.b = strconv.AppendUint(f.b, is, 10)
	}
}

func (f *fields) bool(name string, was, is bool) {
	if was != is {
		f.key(name)
		f.b = strconv.AppendBool(f.b, is)
	}
}

func (f *fields) text(name, was, is string) {
	if was != is {
		f.key(name)
		f.b = appendString(f.b, is)
	}
}

func (f *fields) seconds(name string, was, is time.Duration) {
	if was != is {
		f.key(name)
		f.b = appendSeconds(f.b, is)
	}
}

func (f *fields) endpoint(name string, a source.Addr, port uint16) {
	f.key(name)
	f.b = append(f.b, '"')
	f.b = source.AppendAddrPort(f.b, a, port)
	f.b = append(f.b, '"')
}

// socket appends what makes r of base.
func (f *fields) socket(base, r *row) {
	was, is := &base.socket, &r.socket
	if was.Proto != is.Proto {
		f.text("proto", "", is.Proto.String())
	}
	if was.State != is.State {
		f.text("state", "", is.State.String())
	}
	if was.Local != is.Local || was.LocalPort != is.LocalPort {
		f.endpoint("local", is.Local, is.LocalPort)
	}
	if was.Remote != is.Remote || was.RemotePort != is.RemotePort {
		f.endpoint("remote", is.Remote, is.RemotePort)
	}
	f.bool("family6", was.Family6, is.Family6)
	f.uint("process", base.process, r.process)
	if was.Timer != is.Timer {
		f.timer(is.Timer)
	}
	f.seconds("until", time.Duration(base.until)*time.Millisecond, time.Duration(r.until)*time.Millisecond)
	f.uint("retransmits", uint64(was.Retransmits), uint64(is.Retransmits))
	f.uint("rx", uint64(was.ReceiveQueue), uint64(is.ReceiveQueue))
	f.uint("tx", uint64(was.SendQueue), uint64(is.SendQueue))
	f.uint("interface", uint64(was.Interface), uint64(is.Interface))
	f.uint("uid", uint64(was.UID), uint64(is.UID))
	f.uint("inode", uint64(was.Inode), uint64(is.Inode))
	f.uint("cookie", was.Cookie, is.Cookie)
	f.uint("cgroup", was.Cgroup, is.Cgroup)
}

// timer writes a timer by its name, or by its number where it has none.
func (f *fields) timer(t source.Timer) {
	f.key("timer")
	if t <= source.TimerProbe {
		f.b = appendString(f.b, t.String())
	} else {
		f.b = strconv.AppendUint(f.b, uint64(t), 10)
	}
}

// process appends what makes is of was.
func (f *fields) process(was, is *source.Process) {
	if was.PID != is.PID {
		f.key("pid")
		f.b = strconv.AppendInt(f.b, int64(is.PID), 10)
	}
	f.uint("start", was.Start, is.Start)
	f.text("name", was.Name, is.Name)
	f.text("command", was.Command, is.Command)
	f.uint("uid", uint64(was.UID), uint64(is.UID))
	f.text("user", was.User, is.User)
}

// head appends the fields that hold until they are given again.
func (f *fields) head(was, is *head) {
	f.text("host", was.host, is.host)
	f.text("os", was.os, is.os)
	f.text("kernel", was.kernel, is.kernel)
	f.text("source", was.source, is.source)
	f.bool("bound_listed", was.boundListed, is.boundListed)
	f.bool("traced", was.traced, is.traced)
	if !sameSettings(&was.settings, &is.settings) {
		f.key("settings")
		f.settings(&is.settings)
	}
	if !sameTexts(was.degraded, is.degraded) {
		f.key("degraded")
		f.b = append(f.b, '[')
		for i, s := range is.degraded {
			if i > 0 {
				f.b = append(f.b, ',')
			}
			f.b = appendString(f.b, s)
		}
		f.b = append(f.b, ']')
	}
}

// settings appends all settings: they are replaced as a whole.
func (f *fields) settings(s *source.Settings) {
	f.open()
	f.portRange("range", s.Range)
	f.bool("assumed", false, s.Assumed)
	if s.Default != (source.PortRange{}) {
		f.portRange("default", s.Default)
	}
	if len(s.Reserved) > 0 {
		f.key("reserved")
		f.b = append(f.b, '[')
		for i, r := range s.Reserved {
			if i > 0 {
				f.b = append(f.b, ',')
			}
			f.b = appendString(f.b, r.String())
		}
		f.b = append(f.b, ']')
	}
	f.seconds("time_wait", 0, s.TimeWait)
	f.int("reuse_time_wait", s.ReuseTimeWait)
	f.seconds("reuse_delay", 0, s.ReuseDelay)
	f.int("timestamps", s.Timestamps)
	f.int("max_time_wait", s.MaxTimeWait)
	f.bool("pool_only", false, s.PoolOnly)
	f.bool("parity", false, s.Parity)
	f.close()
}

func (f *fields) portRange(name string, r source.PortRange) {
	f.key(name)
	f.b = appendString(f.b, r.String())
}

func (f *fields) int(name string, v int) {
	if v != 0 {
		f.key(name)
		f.b = strconv.AppendInt(f.b, int64(v), 10)
	}
}
