package filter_test

import (
	"errors"
	"fmt"
	"time"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/source"
)

// twoSockets is a state with a connection of nginx and a TIME_WAIT.
func twoSockets() *model.State {
	now := time.Date(2026, 11, 22, 12, 4, 31, 0, time.UTC)
	db := source.Addr4([4]byte{10, 0, 9, 2})
	return &model.State{
		Clock: now.UnixNano(),
		Snapshot: &source.Snapshot{Sockets: []source.Socket{
			{Proto: source.TCP, State: source.Established, Remote: db, RemotePort: 5432},
			{Proto: source.TCP, State: source.TimeWait, Remote: db, RemotePort: 5432},
		}},
		Processes: []source.Process{{PID: 4410, Name: "nginx"}},
		Rows: []model.Row{
			{Process: 0, Tier: model.OwnerObserved, Age: model.SpanOf(time.Hour)},
			{Process: source.NoProcess, Age: model.SpanOf(time.Minute)},
		},
	}
}

func ExampleParse() {
	f, err := filter.Parse("remote:10.0.0.0/8 !owner:unknown age>30s")
	if err != nil {
		fmt.Println(err)
		return
	}
	st := twoSockets()
	for row := range st.Rows {
		fmt.Println(st.Snapshot.Sockets[row].State, f.Match(st, row))
	}
	// Output:
	// ESTABLISHED true
	// TIME_WAIT false
}

func ExampleParse_error() {
	_, err := filter.Parse("proc:nginx owner:me")
	fmt.Println(err)
	var wrong *filter.Error
	if errors.As(err, &wrong) {
		fmt.Println(wrong.Expr[wrong.Offset:])
	}
	// Output:
	// filter: "proc:nginx owner:me": at character 18: unknown owner "me": use unknown, inferred, observed or traced
	// me
}

func ExampleFilter_Terms() {
	f, err := filter.Parse(`!state:tw "a b"`)
	if err != nil {
		fmt.Println(err)
	}
	for _, t := range f.Terms() {
		fmt.Printf("%s key=%q negated=%v\n", t.Text, t.Key, t.Negated)
	}
	// Output:
	// !state:tw key="state" negated=true
	// "a b" key="" negated=false
}

// A cheat sheet, and what completes the value of a key.
func ExampleKeys() {
	for _, k := range filter.Keys() {
		if k.Kind == filter.Word && k.Name != "state" {
			fmt.Println(k.Prefix(), k.Values, k.Example)
		}
	}
	// Output:
	// proto: [tcp udp] proto:udp
	// owner: [unknown inferred observed traced] owner:inferred
}

func ExampleQuote() {
	fmt.Println(filter.Quote("proc", "api"))
	fmt.Println(filter.Quote("proc=", "my app"))
	// Output:
	// proc:api
	// proc="my app"
}
