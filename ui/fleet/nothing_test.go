package fleet

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ephtop/source/fleet"
)

// A feed that knows no host, or can't be asked, says why; neither is awaited for
// ever.
func TestNoHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, nil)
		h.m.board.table = fleet.Table{Patience: time.Minute}
		h.send(clockMsg{})
		h.wantFrame("asking…", "no host yet")
		h.m.Tell(fleet.Report{Lack: errors.New("none that --match picks")})
		h.send(clockMsg{})
		h.wantFrame("● live", "! no host is told of", "│                           none that --match picks")
		h.m.Tell(fleet.Report{Fault: errors.New("it answers HTTP 404: is this Prometheus?")})
		h.send(clockMsg{})
		h.wantFrame("! no data", "‼ no host can be told of", "│                   it answers HTTP 404: is this Prometheus?")
		h.tell(figures("a", fleet.LevelOK, 1))
		h.wantFrame("● live", "the host is well")
	})
}

// Who is well and was without a port today is first, and in the first words.
func TestPastTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, nil)
		h.m.board.table = fleet.Table{Patience: time.Minute}
		h.m.fleet.Day = true
		past := figures("c", fleet.LevelOK, 1)
		past.Day, past.Exhausted = true, 147*time.Second
		h.tell(figures("a", fleet.LevelOK, 500), figures("b", fleet.LevelOK, 1), past)
		h.wantNames("[c] a b")
		h.wantFrame("all 3 hosts are well; 1 was without a port in the last 24 h")
		h.press("s", "s", "s", "s", "s", "s", "s")
		h.wantFrame("▾EXHAUSTED", "2m 27s")
	})
}
