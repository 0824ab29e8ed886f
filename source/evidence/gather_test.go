package evidence

import (
	"context"
	"encoding/json"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// checkStatuses tells whether each part says how far it was read, and why not
// further.
func checkStatuses(t *testing.T, e source.Evidence) {
	t.Helper()
	for name, s := range map[string]source.Status{
		"firewall": e.Firewall.Status, "conntrack": e.Conntrack.Status, "log": e.Log.Status, "sysctls": e.Sysctls.Status,
	} {
		switch s.Outcome {
		case source.OutcomeRead:
		case source.OutcomeNotReadable, source.OutcomeNotThere:
			if s.Reason == "" {
				t.Errorf("%s: %s, and no reason", name, s.Outcome)
			}
		default:
			t.Errorf("%s: outcome %q", name, s.Outcome)
		}
	}
}

func TestGatherOnThisHost(t *testing.T) {
	e := Gather(context.Background(), Options{})
	checkStatuses(t, e)
	if e.Time.IsZero() {
		t.Error("no time")
	}
	if runtime.GOOS == "linux" && !e.Sysctls.OK() {
		t.Errorf("settings of this host: %+v", e.Sysctls.Status)
	}
	if runtime.GOOS != "linux" && e.Firewall.Outcome != source.OutcomeNotThere {
		t.Errorf("the firewall of %s is %+v", runtime.GOOS, e.Firewall.Status)
	}
}

func TestGatherOfAnEmptyTree(t *testing.T) {
	e := Gather(context.Background(), Options{Root: t.TempDir(), Now: noon})
	checkStatuses(t, e)
	if e.Firewall.OK() || e.Conntrack.OK() || e.Log.OK() || e.Sysctls.OK() {
		t.Errorf("something was read of nothing: %+v", e)
	}
}

func TestGatherAfterTheEndDoesNotFail(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	checkStatuses(t, Gather(ctx, Options{}))
}

func TestEvidenceSurvivesJSON(t *testing.T) {
	e := Gather(context.Background(), Options{Root: writeTree(t, sysctlTree()), Now: noon})
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back source.Evidence
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e.Sysctls.Settings, back.Sysctls.Settings); diff != "" {
		t.Errorf("settings (-before +after):\n%s", diff)
	}
}
