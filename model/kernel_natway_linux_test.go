package model_test

import (
	"slices"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/live"
	"ephtop/source/netlab"
)

// behind is a client whose router gives out twenty ports, and that sees neither the
// router nor the server.
func behind(t *testing.T, kind string) (lab *netlab.Routed, src source.Source) {
	t.Helper()
	lab = netlab.NewRouted(t, netlab.SNATRules("snat to "+netlab.NATAddress+":40000-40019"))
	lab.Client.Must(func() (err error) {
		src, err = live.Open(live.Options{Kind: kind, Netns: "self", Trace: live.TraceOff})
		return err
	})
	t.Cleanup(func() { src.Close() })
	lab.Server.Output("ip", "addr", "add", "10.92.0.3/24", "dev", "s0")
	for _, to := range []string{server, other} {
		lab.Server.ListenBacklog(to, 64)
	}
	return lab, src
}

const (
	server = netlab.ServerAddress + ":443"
	other  = "10.92.0.3:5432"
)

// looks polls until the overview is as wanted, for so many seconds.
func looks(t *testing.T, src source.Source, f *model.Fleet, seconds int, want func(*model.Overview) bool) *model.Overview {
	t.Helper()
	var m source.Moment
	o := new(model.Overview)
	for end := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		m.Reset()
		if err := src.Poll(t.Context(), &m); err != nil {
			t.Fatal(err)
		}
		if f.Update(&m, o); want(o) {
			return o
		}
	}
	return o
}

// The twenty that connect fill the NAT's twenty ports; six that do not wait. With the
// number told that is 100 %, and without it a limit shows after a few seconds.
func TestKernelNATOnTheWay(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{live.Tables, live.Sockdiag} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			lab, src := behind(t, kind)
			for to, n := range map[string]int{other: 3, server: 20} {
				if got, err := lab.Client.Fill(to, n); err != nil || got != n {
					t.Fatal(got, err)
				}
			}
			told, untold := model.NewFleet(model.Options{NATPorts: 20}), model.NewFleet(model.Options{})
			o := looks(t, src, told, 10, func(o *model.Overview) bool { return len(o.Ways) == 2 && o.Ways[0].Live == 20 })
			if len(o.Ways) != 2 || o.Ways[0].Percent() != 100 || o.Level != model.LevelExhausted || o.Ways[1].Live != 3 {
				t.Errorf("level %v, %+v", o.Level, o.Ways)
			}
			limit := func(o *model.Overview) int {
				return slices.IndexFunc(o.Findings, func(f model.Finding) bool { return f.Problem == model.WayLimit })
			}
			if o = looks(t, src, untold, 2, func(o *model.Overview) bool { return limit(o) >= 0 }); limit(o) >= 0 {
				t.Errorf("all are answered, and a limit shows: %+v", o.Findings)
			}
			for range 6 {
				if _, err := lab.Client.ConnectPending(server); err != nil {
					t.Fatal(err)
				}
			}
			o = looks(t, src, untold, 30, func(o *model.Overview) bool { return limit(o) >= 0 && o.Findings[limit(o)].Count == 6 })
			if i := limit(o); i < 0 || o.Findings[i].Live != 20 || o.Findings[i].Count != 6 || o.Findings[i].Outside != 1 || o.Level != model.LevelWarning {
				t.Errorf("level %v, %+v", o.Level, o.Findings)
			}
			o = looks(t, src, told, 10, func(o *model.Overview) bool { return o.Ways[0].Unanswered == 6 })
			if p := o.Ways[0]; p.Used() != 20 || p.Live != 20 || p.Opening != 6 || p.Unanswered != 6 || o.Level != model.LevelExhausted || limit(o) >= 0 {
				t.Errorf("level %v, %+v, %+v", o.Level, p, o.Findings)
			}
		})
	}
}

// A server that takes no more, behind a NAT with room, looks the same from the client;
// one that is on the client's host is told by its address.
func TestKernelFullBacklogOfTheHost(t *testing.T) {
	t.Parallel()
	lab, src := behind(t, live.Sockdiag)
	const here = netlab.ClientAddress + ":7000"
	lab.Client.ListenBacklog(here, 8)
	if _, err := lab.Client.Fill(other, 3); err != nil {
		t.Fatal(err)
	}
	if n, err := lab.Client.Fill(here, 9); err != nil || n != 9 { // one more than the backlog
		t.Fatal(n, err)
	}
	for range 6 {
		if _, err := lab.Client.ConnectPending(here); err != nil {
			t.Fatal(err)
		}
	}
	o := looks(t, src, model.NewFleet(model.Options{NATPorts: 10}), 10, func(o *model.Overview) bool {
		return slices.ContainsFunc(o.Findings, func(f model.Finding) bool { return f.Problem == model.WayLimit || f.Problem == model.WayFull })
	})
	silent := slices.ContainsFunc(o.Findings, func(f model.Finding) bool { return f.Problem == model.SynSent && f.Count == 6 })
	if len(o.Ways) != 1 || o.Ways[0].RemotePort != 5432 || o.Level != model.LevelOK || !silent {
		t.Errorf("level %v, %+v, %+v", o.Level, o.Ways, o.Findings)
	}
}
