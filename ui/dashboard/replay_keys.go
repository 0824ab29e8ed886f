package dashboard

import (
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"ephtop/ui/dashboard/paint"
)

// suited is the key map for what the dashboard shows: without the keys that
// would do nothing, and in a replay with those that seek.
func (k KeyMap) suited(cfg *Config) KeyMap {
	file := cfg.Replay != nil && !cfg.Replay.Live()
	k.enableSeeks(file)
	for _, b := range []*key.Binding{&k.SlowDown, &k.SpeedUp} {
		b.SetEnabled(file || cfg.Replay == nil && cfg.Stepper != nil)
	}
	k.Trace.SetEnabled(cfg.Tracing != nil)
	if cfg.Replay == nil {
		return k
	}
	for _, b := range []*key.Binding{&k.Record, &k.Slower, &k.Faster} {
		b.SetEnabled(false)
	}
	if file {
		k.Pause = described(k.Pause, "stop")
	}
	return k
}

// enableSeeks says whether the keys that seek do so. They come before the
// others: the arrows, home and end are not for the panes then.
func (k *KeyMap) enableSeeks(on bool) {
	for _, b := range k.seeks() {
		b.SetEnabled(on)
	}
}

// beside are the bindings of the panes as they are called beside those that
// seek: by their letters alone.
func (k KeyMap) beside() KeyMap {
	if k.ToStart.Enabled() {
		for _, b := range []*key.Binding{&k.Left, &k.Right, &k.Top, &k.End} {
			_, letter, _ := strings.Cut(b.Help().Key, "/")
			b.SetHelp(letter, b.Help().Desc)
		}
	}
	return k
}

// pauses says what the pause is of.
func (k KeyMap) pauses() string {
	if k.ToStart.Enabled() && k.SpeedUp.Enabled() {
		return "stop the replay, or let it go on"
	}
	return "hold the view still, to look back with " + k.SeekBack.Help().Key + " " + k.SeekOn.Help().Key
}

// seeks are the keys that seek.
func (k *KeyMap) seeks() []*key.Binding {
	return []*key.Binding{
		&k.SeekBack, &k.SeekOn, &k.SeekFarBack, &k.SeekFarOn, &k.ToStart, &k.ToEnd, &k.ChangeBefore, &k.ChangeAfter,
	}
}

// timeGroup is the column of the help overlay about time, where a key has to
// do with that.
func (k KeyMap) timeGroup() []paint.HelpGroup {
	var keys []key.Binding
	if k.SpeedUp.Enabled() {
		keys = append(keys, described(relabelled(k.SlowDown, "< >"), "half and double speed"))
	}
	if k.ToStart.Enabled() {
		pair := func(a, b key.Binding, does string) key.Binding {
			return described(relabelled(a, a.Help().Key+" "+b.Help().Key), does)
		}
		keys = append(keys,
			pair(k.SeekBack, k.SeekOn, "1 s back and on, 10 s with shift"),
			pair(k.ToStart, k.ToEnd, "to the start and the end"),
			pair(k.ChangeBefore, k.ChangeAfter, "to where the level changes"))
	}
	if keys == nil {
		return nil
	}
	return []paint.HelpGroup{{Title: "Time", Keys: hints(keys...)}}
}

// replayKey takes a key that seeks, and tells whether it was one.
func (m *Model) replayKey(msg tea.KeyMsg) (tea.Cmd, bool) {
	line := &m.view.Timeline
	if m.replay == nil {
		if slices.ContainsFunc(m.keys.seeks(), func(b *key.Binding) bool { return key.Matches(msg, *b) }) {
			return m.lookBack(msg), true
		}
		return nil, false
	}
	if r := m.replay; r.past != nil && !r.seeking && m.latest != nil && !r.position.Before(line.Last) && key.Matches(msg, m.keys.SeekOn, m.keys.SeekFarOn) {
		return m.lookOn(msg), true
	}
	return m.seekKey(msg)
}

// seekKey takes a key that seeks in what there is.
func (m *Model) seekKey(msg tea.KeyMsg) (tea.Cmd, bool) {
	line := &m.view.Timeline
	switch {
	case m.replay.past != nil && key.Matches(msg, m.keys.ToEnd):
		m.goLive()
		return nil, true
	case key.Matches(msg, m.keys.SeekBack):
		return m.seekBy(-time.Second), true
	case key.Matches(msg, m.keys.SeekOn):
		return m.seekBy(time.Second), true
	case key.Matches(msg, m.keys.SeekFarBack):
		return m.seekBy(-10 * time.Second), true
	case key.Matches(msg, m.keys.SeekFarOn):
		return m.seekBy(10 * time.Second), true
	case key.Matches(msg, m.keys.ToStart):
		return m.seekTo(line.First), true
	case key.Matches(msg, m.keys.ToEnd):
		return m.seekTo(line.Last), true
	case key.Matches(msg, m.keys.ChangeBefore):
		return m.jump(-1), true
	case key.Matches(msg, m.keys.ChangeAfter):
		return m.jump(+1), true
	}
	return nil, false
}
