package advice_test

import (
	"strings"
	"testing"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

// words is all that an advice says.
func words(a advice.Advice) string { return a.Title + "\n" + written(&a) }

// Whose something is, is said with how sure that is, and how it can be learned.
func TestWordsOfBlame(t *testing.T) {
	t.Parallel()
	churn := model.Finding{Problem: model.NoPooling, Tuple: database, Process: java, Rate: 60, Count: 303, Live: 3, Of: 28232, Plateau: 3600}
	full := model.Finding{Problem: model.TupleFull, Level: model.LevelWarning, Tuple: database, Process: java, Count: 18006, Of: 28232}
	for _, test := range []struct {
		name         string
		f            model.Finding
		tier         model.Tier
		seen, likely int
		traced       bool
		want, not    string
	}{
		{"all seen", churn, model.OwnerObserved, 303, 0, false, "java (pid 3120) closes", "likely"},
		{"some seen", churn, model.OwnerInferred, 3, 300, false, "likely java closes 60 connections/s to 10.0.9.2:5432: 3 open, 303 in TIME_WAIT (3 seen, the rest likely)", "pid 3120"},
		{"none seen", churn, model.OwnerInferred, 0, 303, false, "303 in TIME_WAIT (none of them seen with it)", "0 seen"},
		{"most seen", churn, model.OwnerObserved, 300, 3, false, "java (pid 3120) closes 60 connections/s to 10.0.9.2:5432: 3 open, 303 in TIME_WAIT (300 seen, the rest likely)", "--trace"},
		{"a tuple of which some were seen", full, model.OwnerInferred, 8202, 9804, false, "most by likely java (8,202 seen, the rest likely)", "--trace"},
		{"nobody seen", churn, model.OwnerUnknown, 0, 0, false, "whose they are was not seen: --trace", "likely"},
		{"a tuple of which nobody was seen", full, model.OwnerUnknown, 0, 0, false, "whose they are was not seen: --trace", "most by"},
		{"nobody seen, though traced", churn, model.OwnerUnknown, 0, 0, true, "a process that is not known closes", "--trace"},
	} {
		st := with(host(), towards(database, 3, 18003, 17000))
		st.Moment.Traced = test.traced
		f := test.f
		f.Tier, f.Seen, f.Likely = test.tier, test.seen, test.likely
		if test.tier == model.OwnerUnknown {
			f.Process = none
		}
		got := words(advice.Of(st, &f))
		if !strings.Contains(got, test.want) || strings.Contains(got, test.not) {
			t.Errorf("%s: want %q and not %q in:\n%s", test.name, test.want, test.not, got)
		}
	}
}

// A leak on a server's port is one of descriptors.
func TestWordsOfALeakOnAServersPort(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		outside   int
		want, not string
	}{
		{0, "frees up to 702 ports at once", "descriptors at once"},
		{700, "702 connections of java (pid 3120) in CLOSE_WAIT, 2 of them on ephemeral ports", "702 ports"},
		{702, "frees up to 702 descriptors at once", "702 ports"},
	} {
		got := words(advice.Of(host(), &model.Finding{
			Problem: model.CloseWait, Level: model.LevelWarning, Process: java, Tier: model.OwnerObserved, Count: 702, Outside: test.outside, Of: 28232,
		}))
		if !strings.Contains(got, test.want) || strings.Contains(got, test.not) {
			t.Errorf("%d outside: want %q and not %q in:\n%s", test.outside, test.want, test.not, got)
		}
	}
}

// Where bound sockets fill the pool, that is what is said, and not how other
// systems pick a port.
func TestWordsOfAPoolFullOfBoundSockets(t *testing.T) {
	t.Parallel()
	f := model.Finding{Problem: model.PoolFull, Level: model.LevelExhausted, Proto: source.TCP, Process: none, Count: 28232, Of: 28232}
	st := with(host(), func(st *model.State) { st.TCP.Pressure.Blocked, st.TCP.Pressure.InUse = 28232, 28232 })
	if got := words(advice.Of(st, &f)); !strings.Contains(got, "bound or listened on") || strings.Contains(got, "without regard to the destination") {
		t.Errorf("words of Linux:\n%s", got)
	}
	other := with(host(), on("darwin", 32768, 60999, 30e9))
	if got := words(advice.Of(other, &f)); !strings.Contains(got, "without regard to the destination") {
		t.Errorf("words of macOS:\n%s", got)
	}
}

// What is offered differs from what is in use, and is more than nothing.
func TestRemediesBringSomething(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"127.0.0.1:6379", "127.0.0.2:6379", "127.0.0.3:80"} {
		key := tuple("127.0.0.1", to)
		st := with(host(), towards(key, 28232, 0, 0), towards(tuple("127.0.0.1", "127.0.0.2:6379"), 1, 0, 0))
		got := words(advice.Of(st, &model.Finding{Problem: model.TupleFull, Level: model.LevelExhausted, Tuple: key, Process: none, Count: 28232, Of: 28232}))
		if address, _, _ := strings.Cut(to, ":"); strings.Contains(got, "connect to "+address+" as well") {
			t.Errorf("%s is offered, and in use:\n%s", address, got)
		}
		if strings.Contains(got, "instead of 0 closes") {
			t.Errorf("something is compared with nothing:\n%s", got)
		}
	}
}
