package dashboard

import (
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/ui/dashboard/paint"
	"ephtop/ui/terminal"
)

// KeyMap holds the bindings of the dashboard. Each carries the help that the
// footer and the help overlay show.
type KeyMap struct {
	Up, Down, Left, Right      key.Binding
	PageUp, PageDown, Top, End key.Binding
	NextPane, PreviousPane     key.Binding

	Open, Back, Filter, Sort, Reverse, Group, Proto, Fold, Findings key.Binding
	// Connections, Destinations and Namespaces turn to a list. Several says that
	// there are namespaces to choose from, so that people are told of the last.
	Connections, Destinations, Namespaces key.Binding
	Several                               bool
	// BackTo is where Back leads in the end; "" for nowhere.
	BackTo string

	Pause, Slower, Faster, Names, Copy, Trace, Record, Report key.Binding

	// SlowDown and SpeedUp are for sources whose time can go at a speed. The
	// others are for a replay and to look back: they take the arrows, home and
	// end for themselves.
	SlowDown, SpeedUp                        key.Binding
	SeekBack, SeekOn, SeekFarBack, SeekFarOn key.Binding
	ToStart, ToEnd                           key.Binding
	ChangeBefore, ChangeAfter                key.Binding

	Help, Redraw, Suspend, Quit key.Binding

	// Earlier and Later go through the filters of this session while one is
	// being typed; Complete goes on with the word before the cursor; Keep takes
	// what was typed.
	Earlier, Later, Complete, Keep key.Binding
}

// DefaultKeyMap is the key map of the command's documentation.
func DefaultKeyMap() KeyMap {
	k := KeyMap{
		Up:           binding("↑/k", "up", "up", "k"),
		Down:         binding("↓/j", "down", "down", "j"),
		Left:         binding("←/h", "pane before", "left", "h"),
		Right:        binding("→/l", "pane after", "right", "l"),
		PageUp:       binding("pgup", "page up", "pgup", "ctrl+b"),
		PageDown:     binding("pgdn", "page down", "pgdown", "ctrl+f"),
		Top:          binding("home/g", "first, and stay there", "home", "g"),
		End:          binding("end/G", "last", "end", "G"),
		NextPane:     binding("tab", "pane", "tab"),
		PreviousPane: binding("shift+tab", "pane before", "shift+tab"),

		Open:    binding("↵", "open", "enter"),
		Back:    binding("esc", "back, clear", "esc"),
		Filter:  binding("/", "filter", "/", "f3", "f4"), // F keys are htop's
		Sort:    binding("s", "sort", "s", "f6"),
		Reverse: binding("S", "reverse", "S"),
		Group:   binding("b", "by", "b"),
		Proto:   binding("p", "tcp/udp", "p"),
		Fold:    binding("z", "fold", "z"),

		Findings: binding("f", "findings", "f"),

		Connections:  binding("1", "connections", "1"),
		Destinations: binding("2", "destinations", "2"),
		Namespaces:   binding("3", "namespaces", "3"),

		Pause:  binding("space", "pause", " "),
		Slower: binding("+", "slower", "+", "="),
		Faster: binding("-", "faster", "-", "_"),
		Names:  binding("n", "names", "n"),
		Copy:   binding("y", "copy", "y"),

		Trace:  binding("t", "trace", "t"),
		Record: binding("r", "record", "r"),
		Report: binding("E", "report", "E"),

		SlowDown:     binding("<", "half speed", "<"),
		SpeedUp:      binding(">", "double speed", ">"),
		SeekBack:     binding("←", "1 s back", "left"),
		SeekOn:       binding("→", "1 s on", "right"),
		SeekFarBack:  binding("shift+←", "10 s back", "shift+left"),
		SeekFarOn:    binding("shift+→", "10 s on", "shift+right"),
		ToStart:      binding("home", "to the start", "home"),
		ToEnd:        binding("end", "to the end", "end"),
		ChangeBefore: binding("[", "level before", "["),
		ChangeAfter:  binding("]", "level after", "]"),

		Help:    binding("?", "help", "?", "f1"),
		Redraw:  binding("ctrl+l", "draw the screen anew", "ctrl+l"),
		Suspend: binding("ctrl+z", "suspend", "ctrl+z"),
		Quit:    binding("q", "quit", "q", "f10", "ctrl+c"),

		Earlier: binding("↑", "filter before", "up", "ctrl+p"),
		Later:   binding("↓", "filter after", "down", "ctrl+n"),
		Keep:    binding("↵", "keep", "enter"),

		Complete: binding("tab", "complete", "tab"),
	}
	k.Suspend.SetEnabled(terminal.CanSuspend)
	for _, b := range append(k.seeks(), &k.SlowDown, &k.SpeedUp) {
		b.SetEnabled(false) // see suited
	}
	return k
}

func binding(label, does string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(label, does))
}

// ASCII gives the key map with labels that need no more than ASCII.
func (k KeyMap) ASCII() KeyMap {
	plain := strings.NewReplacer("↑", "up", "↓", "down", "←", "left", "→", "right", "↵", "enter")
	for _, b := range []*key.Binding{
		&k.Up, &k.Down, &k.Left, &k.Right, &k.Open, &k.Earlier, &k.Later, &k.Keep,
		&k.SeekBack, &k.SeekOn, &k.SeekFarBack, &k.SeekFarOn,
	} {
		b.SetHelp(plain.Replace(b.Help().Key), b.Help().Desc)
	}
	return k
}

// Keys returns what all keys of the dashboard do, in groups: those of a host, and
// then those that go through time, in a replay.
func Keys() []paint.HelpGroup {
	k := DefaultKeyMap()
	k.Several = true
	groups := k.groups()
	for _, b := range append(k.seeks(), &k.SlowDown, &k.SpeedUp) {
		b.SetEnabled(true)
	}
	time := k.timeGroup()
	return append(slices.DeleteFunc(groups, func(g paint.HelpGroup) bool { return g.Title == time[0].Title }), time...)
}

// functionKeys is what the function keys do.
func (k KeyMap) functionKeys() key.Binding {
	var labels, does []string
	for _, b := range []key.Binding{k.Help, k.Filter, k.Sort, k.Quit} {
		for _, name := range b.Keys() {
			if len(name) > 1 && name[0] == 'f' {
				labels, does = append(labels, strings.ToUpper(name)), append(does, b.Help().Desc)
			}
		}
	}
	return binding(labels[0]+" to "+labels[len(labels)-1], strings.Join(slices.Compact(does), ", "), "")
}

// groups is what the help overlay shows.
func (k KeyMap) groups() []paint.HelpGroup {
	k = k.beside()
	groups := []paint.HelpGroup{
		{Title: "Move", Keys: hints(
			k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.End, k.NextPane, k.PreviousPane, k.Left, k.Right,
		)},
		{Title: "Look closer", Keys: hints(
			described(k.Open, "details of a connection, connections of a fold or a destination; filter by a state or consumer"),
			described(k.Back, "close, or clear the filter"),
			described(k.Filter, "filter, as in state:tw rport:443"),
			described(k.Sort, "choose what to sort by"),
			described(k.Reverse, "reverse the order"),
			described(k.Group, k.groupings()),
			described(k.Proto, "TCP, UDP or both"),
			k.faces(),
			described(k.Fold, "fold or unfold what is in TIME_WAIT"),
			described(k.Names, "services by name or number"),
			described(k.Findings, "what is wrong, and what to do"),
		)},
		{Title: "Control", Keys: hints(
			described(k.Pause, k.pauses()),
			described(k.Slower, "poll less often"),
			described(k.Faster, "poll more often"),
			described(k.Copy, "copy the addresses of the line, or the command"),
			described(k.Trace, "trace who closes (root), or stop"),
			described(k.Record, "start or stop a recording"),
			described(k.Report, "write an anonymous report as Markdown"),
			k.Help, k.Redraw, k.Suspend,
			relabelled(k.Quit, "q/ctrl+c"),
			k.functionKeys(),
		)},
		{Title: "In a filter", Keys: hints(
			described(k.Keep, "keep it"),
			described(k.Back, "the one before"),
			described(k.Complete, "complete the word"),
			described(relabelled(k.Earlier, k.Earlier.Help().Key+"/"+k.Later.Help().Key), "filters of this session"),
		)},
	}
	return append(groups, k.timeGroup()...)
}

// groupings says by what consumers are put together.
func (k KeyMap) groupings() string {
	words := "consumers by process, destination, service, user"
	if k.Several {
		words += ", container, unit"
	}
	return words
}

// faces is the keys of the lists together.
func (k KeyMap) faces() key.Binding {
	if !k.Several {
		return binding("1 2", "connections, destinations", "1", "2")
	}
	return binding("1 2 3", "connections, destinations, namespaces and pools of SNAT and NAT", "1", "2", "3")
}

// knows reports whether a key means something, if perhaps not here.
func (k KeyMap) knows(msg tea.KeyMsg) bool {
	all := reflect.ValueOf(k)
	for i := range all.NumField() {
		if b, ok := all.Field(i).Interface().(key.Binding); ok && key.Matches(msg, b) {
			return true
		}
	}
	return false
}

// keyName is what a key is called that somebody has pressed; "" for what a
// person does not press: bytes that were no key, or the answer of a terminal,
// which ends in a BEL.
func keyName(msg tea.KeyMsg) string {
	name := msg.String()
	switch {
	case msg.Paste || msg.Alt || msg.Type == tea.KeyCtrlG:
		return ""
	case msg.Type == tea.KeyRunes:
		if len(msg.Runes) != 1 || !unicode.IsPrint(msg.Runes[0]) || msg.Runes[0] == unicode.ReplacementChar {
			return ""
		}
	case tea.KeyF20 <= msg.Type && msg.Type <= tea.KeyF1:
		return strings.ToUpper(name)
	}
	return name
}

// footer is what the last line shows, most important first, and last of all
// how to get away.
func (k KeyMap) footer(v *paint.View) []paint.Hint {
	switch {
	case v.Filter.Editing:
		return hints(k.Keep, described(k.Back, "undo"), k.Complete, k.Earlier, k.Later)
	case v.Picking:
		return hints(described(k.Sort, "next"), k.Reverse, described(k.Back, "close"))
	case v.Overlay == paint.OverlayHelp:
		return hints(k.Up, k.Down, k.PageDown, described(k.Back, "close"))
	case v.Overlay == paint.OverlayFindings:
		return hints(described(k.Open, "unfold, fold"), described(k.Copy, "copy the command"), k.Report, k.Up, k.Down, described(k.Back, "close"))
	case v.Overlay == paint.OverlayDetails, v.Overlay == paint.OverlayPool:
		return hints(k.Up, k.Down, k.Copy, k.Names, described(k.Back, "close"))
	}
	open, pause := k.Open, k.Pause
	switch v.Focus {
	case paint.PaneStates, paint.PaneConsumers:
		open = described(open, "filter by it")
	case paint.PaneDestinations:
		open = described(open, "its connections")
	}
	fold := k.Fold
	if v.Folded {
		fold = described(fold, "unfold")
	}
	if v.Status == paint.StatusPaused || v.Timeline.On && v.Status == paint.StatusEnded {
		pause = described(pause, "go on")
	}
	if v.Timeline.Back {
		pause = described(pause, "live")
	}
	all := []key.Binding{k.Filter, k.Findings, open, k.NextPane, k.Sort, k.Group, k.Help, pause}
	if k.Several && v.Face != paint.FaceNamespaces {
		all = slices.Insert(all, 2, k.Namespaces)
	}
	if v.Face == paint.FaceNamespaces {
		all = append([]key.Binding{open}, slices.DeleteFunc(all, func(b key.Binding) bool { return b.Help() == open.Help() })...)
	}
	switch {
	case v.Inside:
		all = append([]key.Binding{described(k.Back, "back to the list")}, all...)
	case v.Filter.Text != "":
		all = append([]key.Binding{described(k.Back, "clear filter")}, all...)
	case k.BackTo != "":
		all = append([]key.Binding{described(k.Back, k.BackTo)}, all...)
	}
	if k.ToStart.Enabled() {
		does := "seek"
		if v.Status == paint.StatusPaused && (!v.Timeline.On || v.Timeline.Back || v.Timeline.Pipe) {
			does = "look back"
		}
		seek := described(relabelled(k.SeekOn, k.SeekBack.Help().Key+k.SeekOn.Help().Key), does)
		all = append([]key.Binding{pause, seek, k.ChangeAfter}, slices.DeleteFunc(all, func(b key.Binding) bool {
			return b.Help() == pause.Help()
		})...)
	}
	if v.Face == paint.FaceConnections && (len(v.Folds) > 0 || !v.Folded && v.Waiting > 0) {
		all = append(all, fold)
	}
	return hints(append(all, k.Copy, k.Trace, k.Record, k.Names, k.Proto, k.Slower, k.Faster, k.SlowDown, k.SpeedUp, k.Quit)...)
}

// hints are bindings as they are shown, without those that are disabled.
func hints(bindings ...key.Binding) []paint.Hint {
	all := make([]paint.Hint, 0, len(bindings))
	for _, b := range bindings {
		if b.Enabled() {
			all = append(all, paint.Hint{Key: b.Help().Key, Does: b.Help().Desc})
		}
	}
	return all
}

// described is a binding with another description.
func described(b key.Binding, does string) key.Binding {
	b.SetHelp(b.Help().Key, does)
	return b
}

// relabelled is a binding with another label.
func relabelled(b key.Binding, label string) key.Binding {
	b.SetHelp(label, b.Help().Desc)
	return b
}
