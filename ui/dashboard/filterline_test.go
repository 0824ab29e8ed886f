package dashboard

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/source"
	"ephtop/ui/dashboard/paint"
)

func mixedHost() []source.Socket {
	return []source.Socket{
		tcp(40001, "10.0.9.2 5432", source.Established, 0), tcp(40002, "10.0.9.2 5432", source.TimeWait, -1),
		tcp(40003, "10.0.9.3 443", source.Established, 1), tcp(40004, "10.0.9.3 443", source.CloseWait, 1),
		udp(40005, "9.9.9.9 53", 0),
	}
}

func (h *harness) wantFilter(want string, ports ...uint16) {
	h.Helper()
	if h.m.view.Filter.Text != want {
		h.Errorf("filter %q in force, want %q", h.m.view.Filter.Text, want)
	}
	if diff := cmp.Diff(ports, h.ports()); diff != "" {
		h.Errorf("filter %q: ports (-want +got):\n%s", want, diff)
	}
}

func TestFilterHoldsWhileItIsTyped(t *testing.T) {
	t.Parallel()
	run(t, mixedHost(), func(h *harness) {
		byPort(h)
		h.press("/")
		h.typeText("lport:4000")
		h.wantFilter("lport:4000")
		h.typeText("3")
		h.wantFilter("lport:40003", 40003)
		h.press("enter")
		if h.m.view.Filter.Editing {
			t.Error("enter does not end the editing")
		}
		h.wantFilter("lport:40003", 40003)
		if h.m.view.Total != 4 {
			t.Errorf("total %d, want the 4 without the filter", h.m.view.Total)
		}
		h.sleep(2 * time.Second)
		h.wantFilter("lport:40003", 40003)
		h.press("esc")
		h.wantFilter("", 40001, 40002, 40003, 40004)
	})
}

func TestWrongFilterKeepsTheLastGoodOne(t *testing.T) {
	t.Parallel()
	run(t, mixedHost(), func(h *harness) {
		byPort(h)
		h.press("/")
		h.typeText("rport:443,?")
		h.wantFilter("rport:443", 40003, 40004)
		var wrong *filter.Error
		if !errors.As(h.m.view.Filter.Err, &wrong) || wrong.Offset != len("rport:443,") {
			t.Errorf("error %v does not say where", h.m.view.Filter.Err)
		}
		h.press("enter")
		if !h.m.view.Filter.Editing {
			t.Error("enter kept a wrong filter")
		}
		h.sleep(time.Second)
		h.wantFilter("rport:443", 40003, 40004)
		if h.m.view.Filter.Err == nil || h.m.view.Filter.Input != "rport:443,?" {
			t.Errorf("a poll changed the line: %+v", h.m.view.Filter)
		}
		h.press("backspace", "backspace")
		if h.m.view.Filter.Err != nil {
			t.Errorf("mended, and still %v", h.m.view.Filter.Err)
		}
	})
}

// What can still become right is not called wrong, and changes nothing yet.
func TestTheBeginningOfATermWaits(t *testing.T) {
	t.Parallel()
	for begun, stays := range map[string]string{
		"sta": "lport:40003", "state:": "lport:40003", "state:TIME": "lport:40003", "!": "lport:40003", "rport:": "lport:40003",
		"age>": "lport:40003", "age>3": "lport:40003", "remote:10.": "lport:40003",
		"rport:443-": "rport:443", "rport:443 sta": "rport:443",
	} {
		t.Run(begun, func(t *testing.T) {
			run(t, mixedHost(), func(h *harness) {
				h.press("/")
				h.typeText("lport:40003")
				h.m.editor.Set("")
				h.typeText(begun)
				if line := h.m.view.Filter; line.Err != nil || !line.Held || !line.Editing || line.Text != stays {
					t.Errorf("filter line %+v, want %s in force", line, stays)
				}
			})
		})
	}
}

// Enter takes a word as it stands, and says what is missing of a term.
func TestEnterOnTheBeginningOfATerm(t *testing.T) {
	t.Parallel()
	run(t, mixedHost(), func(h *harness) {
		byPort(h)
		h.press("/")
		h.typeText("p")
		h.wantFilter("", 40001, 40002, 40003, 40004)
		h.press("enter")
		h.wantFilter("p", 40001) // of api
		if h.m.view.Filter.Editing {
			t.Error("the line is still open")
		}
		h.press("esc", "/")
		h.typeText("state:TIME")
		h.press("enter")
		if line := h.m.view.Filter; !line.Editing || line.Err == nil {
			t.Errorf("enter kept the half of a state: %+v", line)
		}
	})
}

func TestTabCompletesWhatIsTyped(t *testing.T) {
	t.Parallel()
	run(t, mixedHost(), func(h *harness) {
		byPort(h)
		for _, step := range []struct{ typed, want, next string }{
			{"sta", "state:", ""},
			{"TIM", "state:TIME_WAIT", ""},
			{" !pro", "state:TIME_WAIT !pro", "proc: proto:"},
			{"c:cu", "state:TIME_WAIT !proc:curl", ""},
			{" user:", "state:TIME_WAIT !proc:curl user:", "root www"},
			{"w", "state:TIME_WAIT !proc:curl user:www", ""},
			{" nosuch", "state:TIME_WAIT !proc:curl user:www nosuch", ""},
		} {
			if step.typed == "sta" {
				h.press("/")
			}
			h.typeText(step.typed)
			h.press("tab")
			line := h.m.view.Filter
			if got := strings.Join(line.Next, " "); line.Input != step.want || step.next != "" && got != step.next {
				t.Errorf("%q and tab gave %q, going on as %q; want %q, %q", step.typed, line.Input, got, step.want, step.next)
			}
		}
	})
}

// What is behind the cursor stays behind it.
func TestTabBeforeOtherTerms(t *testing.T) {
	t.Parallel()
	run(t, mixedHost(), func(h *harness) {
		h.press("/")
		h.typeText("sta rport:443")
		h.press("home", "right", "right", "right", "tab")
		if line := h.m.view.Filter; line.Input != "state: rport:443" || line.Pos != len("state:") {
			t.Errorf("filter line %+v", line)
		}
	})
}

func TestNamesOfContainersAndNamespacesComplete(t *testing.T) {
	t.Parallel()
	run(t, mixedHost(), func(h *harness) {
		h.src.set(func(s *fakeSource) {
			s.more = func(m *source.Moment) {
				m.Cgroups = []source.Cgroup{{ID: 9, Container: "redis", Unit: "docker-9.scope"}}
				m.Add(source.Scope{Netns: 7, Name: "shop/api"})
			}
		})
		h.sleep(2 * time.Second)
		h.press("/")
		for _, want := range []string{"container:redis", "unit:docker-9.scope", "ns:shop/api"} {
			h.press("ctrl+u")
			key, value, _ := strings.Cut(want, ":")
			h.typeText(key + ":" + value[:1])
			h.press("tab")
			if got := h.m.view.Filter.Input; got != want {
				t.Errorf("completed to %q, want %q", got, want)
			}
		}
	})
}

func TestEscBringsTheFilterBefore(t *testing.T) {
	t.Parallel()
	run(t, mixedHost(), func(h *harness) {
		byPort(h)
		h.press("/")
		h.typeText("rport:443")
		h.press("enter", "/", "ctrl+u")
		h.wantFilter("", 40001, 40002, 40003, 40004)
		h.typeText("proto:udp")
		h.wantFilter("proto:udp", 40005)
		h.press("esc")
		h.wantFilter("rport:443", 40003, 40004)
		if h.m.view.Filter.Editing || h.m.view.Proto != paint.ProtoTCP {
			t.Errorf("filter line %+v, protocol %d", h.m.view.Filter, h.m.view.Proto)
		}
	})
}

func TestFilterByProtocolShowsThatProtocol(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		filter string
		want   paint.ProtoChoice
	}{
		{"proto:udp", paint.ProtoUDP}, {"!proto:tcp", paint.ProtoUDP}, {"proto:tcp,udp", paint.ProtoBoth}, {"proto:tcp", paint.ProtoTCP}, {"api", paint.ProtoTCP},
	} {
		t.Run(test.filter, func(t *testing.T) {
			runConfig(t, mixedHost(), Config{Filter: test.filter}, func(h *harness) {
				if h.m.view.Proto != test.want {
					t.Errorf("protocol %d, want %d", h.m.view.Proto, test.want)
				}
				if h.m.view.Filter.Text != test.filter {
					t.Errorf("the filter of the command line is shown as %q", h.m.view.Filter.Text)
				}
			})
		})
	}
}

func TestWrongFilterOfTheCommandLine(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Source: &fakeSource{}, Filter: "stat:tw"})
	var wrong *filter.Error
	if !errors.As(err, &wrong) {
		t.Errorf("error %v, want a *filter.Error", err)
	}
}

func TestPaste(t *testing.T) {
	t.Parallel()
	run(t, mixedHost(), func(h *harness) {
		byPort(h)
		h.press("/")
		h.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("rport:443\t\x1b]52;lport:40003\r\n"), Paste: true})
		if got, want := h.m.view.Filter.Input, "rport:443 ]52;lport:40003"; got != want {
			t.Errorf("pasted %q, want %q", got, want)
		}
		if !h.m.view.Filter.Editing {
			t.Error("the line end in the paste was taken for a key")
		}
	})
}

func TestFilterHistory(t *testing.T) {
	t.Parallel()
	run(t, mixedHost(), func(h *harness) {
		for _, text := range []string{"rport:443", "rport:5432", "rport:443"} {
			h.press("/", "ctrl+u")
			h.typeText(text)
			h.press("enter")
		}
		h.press("/", "ctrl+u")
		h.typeText("lport:1")
		for _, step := range []struct{ key, want string }{
			{"up", "rport:443"}, {"up", "rport:5432"}, {"up", "rport:5432"},
			{"down", "rport:443"}, {"down", "lport:1"}, {"down", "lport:1"},
		} {
			h.press(step.key)
			if h.m.view.Filter.Input != step.want || h.m.view.Filter.Text != step.want {
				t.Errorf("after %s: %q is typed and %q in force, want %q", step.key, h.m.view.Filter.Input, h.m.view.Filter.Text, step.want)
			}
		}
	})
}

func TestEnterOnAState(t *testing.T) {
	t.Parallel()
	run(t, mixedHost(), func(h *harness) {
		byPort(h)
		h.press("tab")
		to := func(s source.State) {
			h.press("g")
			h.pressUntil("j", func() bool { return h.m.view.States[h.cursor().Line].State == s })
			h.press("enter")
		}
		to(source.Established)
		h.wantFilter("state:ESTABLISHED", 40001, 40003)
		to(source.CloseWait)
		h.wantFilter("state:CLOSE_WAIT", 40004)
		to(source.CloseWait)
		h.wantFilter("", 40001, 40002, 40003, 40004)
		h.press("/")
		h.typeText("rport:443")
		h.press("enter")
		to(source.Established)
		h.wantFilter("rport:443 state:ESTABLISHED", 40003)
		if len(h.m.view.States) != 3 {
			t.Errorf("%d states, want all 3: the filter is for connections", len(h.m.view.States))
		}
	})
}

func TestEnterOnAConsumer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		group model.Grouping
		want  map[string][]uint16 // filter → ports
	}{
		{model.ByProcess, map[string][]uint16{"pid:100": {40001}, "pid:200": {40003, 40004}}},
		{model.ByDestination, map[string][]uint16{"remote:10.0.9.2:5432": {40001, 40002}, "remote:10.0.9.3:443": {40003, 40004}}},
		{model.ByService, map[string][]uint16{"rport:5432": {40001, 40002}, "rport:443": {40003, 40004}}},
		{model.ByUser, map[string][]uint16{"user:www": {40001}, "user:root": {40003, 40004}}},
	} {
		t.Run(test.group.String(), func(t *testing.T) {
			run(t, mixedHost(), func(h *harness) {
				byPort(h)
				for range test.group {
					h.press("b")
				}
				h.press("tab", "tab")
				got := map[string][]uint16{}
				for range h.m.view.Consumers {
					h.press("enter")
					if text := h.m.view.Filter.Text; !strings.Contains(text, "owner:") {
						got[text] = h.ports()
					}
					h.press("enter") // again takes it out
					h.wantFilter("", 40001, 40002, 40003, 40004)
					h.press("j")
				}
				for filter, ports := range test.want {
					if diff := cmp.Diff(ports, got[filter]); diff != "" && test.group != model.ByProcess && test.group != model.ByUser {
						t.Errorf("%s (-want +got):\n%s", filter, diff)
					}
					if _, ok := got[filter]; !ok {
						t.Errorf("no consumer gives the filter %q: %v", filter, got)
					}
				}
			})
		})
	}
}

func TestConsumerTerms(t *testing.T) {
	t.Parallel()
	st := &model.State{Processes: []source.Process{{PID: 7}, {PID: 8, Name: "curl"}, {PID: 9, Name: "wget"}}}
	addr := source.AddrFrom(netip.MustParseAddr("2001:db8::1"))
	for _, test := range []struct {
		name     string
		consumer model.Consumer
		group    model.Grouping
		want     []string
	}{
		{"a process", model.Consumer{Process: 0, Tier: model.OwnerObserved}, model.ByProcess, []string{"pid:7"}},
		{"what a process is likely to hold", model.Consumer{Process: 0, Tier: model.OwnerInferred}, model.ByProcess,
			[]string{"pid:7"}},
		{"no known process", model.Consumer{Process: -1}, model.ByProcess, []string{"owner:unknown"}},
		{"processes of one name, but for the one that stands alone", model.Consumer{Process: -1, Tier: model.OwnerObserved, Name: "curl", Processes: 7},
			model.ByProcess, []string{"proc=curl", "!pid:8"}},
		{"a destination", model.Consumer{Process: -1, Tier: model.OwnerObserved, Destination: addr, Port: 443}, model.ByDestination,
			[]string{"remote:[2001:db8::1]:443"}},
		{"no destination", model.Consumer{Process: -1}, model.ByDestination, nil},
		{"no service", model.Consumer{Process: -1}, model.ByService, nil},
		{"a user with odd letters", model.Consumer{Process: -1, Tier: model.OwnerObserved, User: `a "b", c`}, model.ByUser,
			[]string{`user:"a \"b\", c"`}},
		{"no known user", model.Consumer{Process: -1}, model.ByUser, []string{"owner:unknown"}},
		{"a user without a name", model.Consumer{Process: -1, Tier: model.OwnerObserved}, model.ByUser, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := new(Model)
			m.view.State, m.view.Group = st, test.group
			m.view.Consumers = []model.Consumer{{Process: 1}, {Process: 2}, {Process: -1}, test.consumer}
			if diff := cmp.Diff(test.want, m.consumerTerms(&test.consumer)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
