package advice

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

// nameWidth is how much of a process's name is shown. The kernel keeps 15
// bytes of it; other systems keep more.
const nameWidth = 24

// process names the process of the finding with its pid, and says when it is
// merely likely: "java (pid 3120)", "likely java". It is "" where none is
// known.
func (t *teller) process() string {
	p := t.finder()
	if p == nil || t.Tier == model.OwnerInferred {
		return t.name()
	}
	if _, ended := t.st.Exit(t.Process); ended {
		return bareName(p) + " (pid " + strconv.Itoa(int(p.PID)) + ", which has ended)"
	}
	return processName(p)
}

// name is process without the pid.
func (t *teller) name() string {
	p := t.finder()
	if p == nil {
		return ""
	}
	name := bareName(p)
	if t.Tier == model.OwnerInferred {
		return "likely " + name
	}
	return name
}

// bareName is the name of a process, cut, or its number.
func bareName(p *source.Process) string {
	if name := text.Truncate(strings.TrimSpace(text.Sanitize(p.Name)), nameWidth); name != "" {
		return name
	}
	return "process " + strconv.Itoa(int(p.PID))
}

// processName names a process with its pid.
func processName(p *source.Process) string {
	return bareName(p) + " (pid " + strconv.Itoa(int(p.PID)) + ")"
}

// finder gives the process of the finding, or nil. One whose call failed
// may hold no socket, and is known from the failure alone.
func (t *teller) finder() *source.Process {
	if t.Process >= 0 && int(t.Process) < len(t.st.Processes) {
		return &t.st.Processes[t.Process]
	}
	switch by := &t.st.Failures; {
	case t.Problem == model.ConnectsFail && len(by.By) > 0:
		return known(&by.By[0].Process)
	case t.Problem == model.AddressRefused && t.Index < len(by.RefusedBy):
		return known(&by.RefusedBy[t.Index].Process)
	}
	return nil
}

// known gives a process that an event named, nil for none.
func known(p *source.Process) *source.Process {
	if p.PID == 0 {
		return nil
	}
	return p
}

// whoever names the process for a sentence.
func (t *teller) whoever() string {
	if who := t.process(); who != "" {
		return who
	}
	return "a process that is not known"
}

// shares tells of what the process holds how much was seen with it, where the
// rest is likely its own.
func (t *teller) shares() string {
	if t.Likely == 0 || t.finder() == nil {
		return ""
	}
	if t.Seen == 0 {
		return " (none of them seen with it)"
	}
	return " (" + text.Count(t.Seen) + " seen, the rest likely)"
}

// learn says how to learn whose most of the tuple's TIME_WAIT are.
func (t *teller) learn() string {
	if t.finder() != nil || !t.linux() || t.st.Moment.Traced {
		return ""
	}
	return "; whose they are was not seen: --trace, as root, tells who closes from then on"
}

// pid is what stands for the process in a command.
func (t *teller) pid() string {
	if p := t.finder(); p != nil && t.Tier != model.OwnerInferred {
		return strconv.Itoa(int(p.PID))
	}
	return "PID"
}

// destination writes the finding's destination as address:port.
func (t *teller) destination() string {
	return t.Tuple.To()
}

// title adds the process, if there is room for it. An address that leaves no
// room for the words is cut in the middle.
func (t *teller) title(format string, args ...any) string {
	s := fmt.Sprintf(format, args...)
	if to := t.destination(); text.Width(s) > TitleWidth && strings.Contains(s, to) {
		const tail = 12 // the end of the address and its port
		head := max(0, len(to)-(text.Width(s)-TitleWidth)-1-tail)
		s = strings.Replace(s, to, to[:head]+"…"+to[len(to)-tail:], 1)
	}
	if who := t.name(); who != "" && text.Width(s)+len(": ")+text.Width(who) <= TitleWidth {
		return who + ": " + s
	}
	return text.Truncate(s, TitleWidth)
}

// ports writes a list of ports, at most a few of them.
func ports(list []uint16) string {
	return few(each(list, func(p uint16) string { return fmt.Sprint(p) }), 6)
}

// each writes the elements of a list.
func each[T any](list []T, write func(T) string) []string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = write(v)
	}
	return words
}

// few joins words, at most so many of them.
func few(words []string, most int) string {
	if n := len(words) - most; n > 0 {
		return strings.Join(words[:most], ", ") + " and " + text.Count(n) + " more"
	}
	return strings.Join(words, ", ")
}

// rate writes things per second, cut and not rounded: "470", "0.6".
func rate(perSecond float64) string {
	if perSecond > 0 && perSecond < 10 {
		return strings.TrimSuffix(strconv.FormatFloat(math.Floor(perSecond*10)/10, 'f', 1, 64), ".0")
	}
	return text.Count(int(max(0, min(perSecond, 1e9))))
}

// closes writes a rate of closes.
func closes(perSecond float64) string {
	if s := rate(perSecond); s != "1" {
		return s + " closes/s"
	}
	return "1 close/s"
}

// span writes how long something lasts: "350 ms", "60 s", "4m 10s".
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return text.Count(int(d.Milliseconds())) + " ms"
	case d <= 2*time.Minute:
		return text.Count(int(d.Seconds())) + " s"
	}
	return text.Duration(d)
}

// percent writes a share as text.Percent does.
func percent(part, total int) string { return text.Percent(model.Percent(part, total)) }
