package dashboard

import (
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"

	"ephtop/ui/dashboard/paint"
	"ephtop/ui/terminal"
)

// KeyMap holds the bindings of the dashboard. Each carries the help that the
// footer and the help overlay show.
type KeyMap struct {
	Up, Down, Left, Right      key.Binding
	PageUp, PageDown, Top, End key.Binding
	NextPane, PreviousPane     key.Binding

	Open, Back, Filter, Sort, Reverse, Group, Proto, Findings key.Binding
	// Connections, Destinations and Namespaces turn to a list; Faces are the
	// three together, where people are told of them.
	Connections, Destinations, Namespaces, Faces key.Binding

	Pause, Slower, Faster, Names, Copy, Trace, Record key.Binding

	// SlowDown and SpeedUp are for sources whose time can go at a speed. The
	// others are for a replay, which takes the arrows, home and end for
	// itself.
	SlowDown, SpeedUp                        key.Binding
	SeekBack, SeekOn, SeekFarBack, SeekFarOn key.Binding
	ToStart, ToEnd                           key.Binding
	ChangeBefore, ChangeAfter                key.Binding

	Help, Redraw, Suspend, Quit key.Binding

	// Earlier and Later go through the filters of this session while one is
	// being typed; Keep takes what was typed.
	Earlier, Later, Keep key.Binding
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
		Filter:  binding("/", "filter", "/"),
		Sort:    binding("s", "sort", "s"),
		Reverse: binding("S", "reverse", "S"),
		Group:   binding("b", "by", "b"),
		Proto:   binding("p", "tcp/udp", "p"),

		Findings: binding("f", "findings", "f"),

		Connections:  binding("1", "connections", "1"),
		Destinations: binding("2", "destinations", "2"),
		Namespaces:   binding("3", "namespaces", "3"),
		Faces:        binding("1 2 3", "connections, destinations, namespaces", "1", "2", "3"),

		Pause:  binding("space", "pause", " "),
		Slower: binding("+", "slower", "+", "="),
		Faster: binding("-", "faster", "-", "_"),
		Names:  binding("n", "names", "n"),
		Copy:   binding("y", "copy", "y"),

		Trace:  binding("t", "trace", "t"),
		Record: binding("r", "record", "r"),

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

		Help:    binding("?", "help", "?"),
		Redraw:  binding("ctrl+l", "draw the screen anew", "ctrl+l"),
		Suspend: binding("ctrl+z", "suspend", "ctrl+z"),
		Quit:    binding("q", "quit", "q", "ctrl+c"),

		Earlier: binding("↑", "filter before", "up", "ctrl+p"),
		Later:   binding("↓", "filter after", "down", "ctrl+n"),
		Keep:    binding("↵", "keep", "enter"),
	}
	k.Suspend.SetEnabled(terminal.CanSuspend)
	for _, b := range append(k.seeks(), &k.SlowDown, &k.SpeedUp, &k.Faces) {
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

// groups is what the help overlay shows.
func (k KeyMap) groups() []paint.HelpGroup {
	groups := []paint.HelpGroup{
		{Title: "Move", Keys: hints(
			k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.End, k.NextPane, k.PreviousPane, k.Left, k.Right,
		)},
		{Title: "Look closer", Keys: hints(
			described(k.Open, "details of a connection; filter by a state or consumer"),
			described(k.Back, "close, or clear the filter"),
			described(k.Filter, "filter, as in state:tw rport:443"),
			described(k.Sort, "sort by the next column"),
			described(k.Reverse, "reverse the order"),
			described(k.Group, k.groupings()),
			described(k.Proto, "TCP, UDP or both"),
			k.Faces,
			described(k.Names, "services by name or number"),
			described(k.Findings, "what is wrong, and what to do"),
		)},
		{Title: "Control", Keys: hints(
			described(k.Pause, k.pauses()),
			described(k.Slower, "poll less often"),
			described(k.Faster, "poll more often"),
			described(k.Copy, "copy the connection's addresses"),
			described(k.Trace, "trace who closes (root), or stop"),
			described(k.Record, "start or stop a recording"),
			k.Help, k.Redraw, k.Suspend,
			relabelled(k.Quit, "q/ctrl+c"),
		)},
		{Title: "In a filter", Keys: hints(
			described(k.Keep, "keep it"),
			described(k.Back, "the one before"),
			described(relabelled(k.Earlier, k.Earlier.Help().Key+"/"+k.Later.Help().Key), "filters of this session"),
		)},
	}
	return append(groups, k.timeGroup()...)
}

// groupings says by what consumers are put together.
func (k KeyMap) groupings() string {
	words := "consumers by process, destination, service, user"
	if k.Faces.Enabled() {
		words += ", container, unit"
	}
	return words
}

// footer is what the last line shows, most important first.
func (k KeyMap) footer(v *paint.View) []paint.Hint {
	switch {
	case v.Filter.Editing:
		return hints(k.Keep, described(k.Back, "undo"), k.Earlier, k.Later)
	case v.Overlay == paint.OverlayHelp:
		return hints(described(k.Back, "close"), k.Up, k.Down, k.Quit)
	case v.Overlay == paint.OverlayFindings:
		return hints(described(k.Back, "close"), k.Up, k.Down, k.PageDown, k.Quit)
	case v.Overlay == paint.OverlayDetails:
		return hints(described(k.Back, "close"), k.Up, k.Down, k.Copy, k.Names, k.Quit)
	}
	open, pause := k.Open, k.Pause
	switch v.Focus {
	case paint.PaneStates, paint.PaneConsumers:
		open = described(open, "filter by it")
	case paint.PaneDestinations:
		open = described(open, "its connections")
	}
	if v.Status == paint.StatusPaused || v.Timeline.On && v.Status == paint.StatusEnded {
		pause = described(pause, "go on")
	}
	all := []key.Binding{k.Filter, k.Help, k.Findings, k.Sort, k.Group, k.NextPane, pause, open, k.Quit}
	if k.Faces.Enabled() && v.Face != paint.FaceNamespaces {
		all = slices.Insert(all, 2, k.Namespaces)
	}
	if v.Face == paint.FaceNamespaces {
		all = append([]key.Binding{open}, slices.DeleteFunc(all, func(b key.Binding) bool { return b.Help() == open.Help() })...)
	}
	switch {
	case v.Filter.Text != "":
		all = append([]key.Binding{described(k.Back, "clear filter")}, all...)
	case v.Inside:
		all = append([]key.Binding{described(k.Back, "back to the list")}, all...)
	}
	if v.Timeline.On && !v.Timeline.Pipe {
		seek := described(relabelled(k.SeekOn, k.SeekBack.Help().Key+k.SeekOn.Help().Key), "seek")
		all = append([]key.Binding{pause, seek, k.ChangeAfter}, slices.DeleteFunc(all, func(b key.Binding) bool {
			return b.Help() == pause.Help()
		})...)
	}
	return hints(append(all, k.Copy, k.Trace, k.Record, k.Names, k.Proto, k.Slower, k.Faster, k.SlowDown, k.SpeedUp)...)
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
