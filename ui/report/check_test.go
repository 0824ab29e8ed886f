package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
)

func TestCheck(t *testing.T) {
	const quiet = "udp=0.8%;60;80;0;100"
	for _, c := range []struct {
		name   string
		change func(*model.State)
		on     CheckOn
		level  model.Level
		want   string
	}{
		{"a warning of the worst destination", func(st *model.State) { st.TCP.Pressure.Tuples[0].FirstHalf = 7 }, OnTuple, model.LevelWarning,
			"EPHTOP WARNING - 63.8 % of 28,222 ports to 10.0.9.2:5432 used | tuple=63.8%;60;80;0;100 pool=64.9%;60;80;0;100 " + quiet +
				" used=18006;;;0;28222 time_wait=9804;;;0;28222 failures=U\n"},
		{"slow connect and a forecast", func(st *model.State) {
			o := &st.TCP.Pressure.Tuples[0].Outlook
			o.Trend, o.In = model.TrendFull, 86*time.Second
		}, OnTuple, model.LevelWarning,
			"EPHTOP WARNING - 63.8 % of 28,222 ports to 10.0.9.2:5432 used, full in 1m 26s, connect() is slow | tuple=63.8%;60;80;0;100 pool=64.9%;60;80;0;100 " + quiet +
				" used=18006;;;0;28222 time_wait=9804;;;0;28222 failures=U\n"},
		{"it levels off below what there is", func(st *model.State) {
			st.TCP.Pressure.Tuples[0].FirstHalf = 7
			st.TCP.Pressure.Tuples[0].Outlook = model.Outlook{Trend: model.TrendLevelsOff, In: 20 * time.Second, Plateau: 26000, CloseRate: 300, Sustainable: 333.7}
		}, OnTuple, model.LevelWarning,
			"EPHTOP WARNING - 63.8 % of 28,222 ports to 10.0.9.2:5432 used | tuple=63.8%;60;80;0;100 pool=64.9%;60;80;0;100 " + quiet +
				" used=18006;;;0;28222 time_wait=9804;;;0;28222 failures=U\n"},
		{"exhausted is critical", func(st *model.State) {
			worst := &st.TCP.Pressure.Tuples[0]
			worst.Used, worst.Free, worst.Live, worst.Level = 28222, 0, 18418, model.LevelExhausted
			st.TCP.Pressure.Level, st.Level = model.LevelExhausted, model.LevelExhausted
		}, OnTuple, model.LevelExhausted,
			"EPHTOP CRITICAL - no port of 28,222 is free to 10.0.9.2:5432 | tuple=100%;60;80;0;100 pool=64.9%;60;80;0;100 " + quiet +
				" used=28222;;;0;28222 time_wait=9804;;;0;28222 failures=U\n"},
		{"the pool is judged by itself", nil, OnPool, model.LevelOK,
			"EPHTOP OK - 64.9 % of 28,222 TCP ports used | tuple=63.8%;60;80;0;100 pool=64.9%;60;80;0;100 " + quiet +
				" used=18006;;;0;28222 time_wait=9804;;;0;28222 failures=U\n"},
		{"a full pool", func(st *model.State) {
			st.TCP.Pressure.InUse, st.TCP.Pressure.PoolLevel = 28222, model.LevelExhausted
		}, OnPool, model.LevelExhausted,
			"EPHTOP CRITICAL - no TCP port of 28,222 is free | tuple=63.8%;60;80;0;100 pool=100%;60;80;0;100 " + quiet +
				" used=18006;;;0;28222 time_wait=9804;;;0;28222 failures=U\n"},
		{"a full bind pool of callers that bind", func(st *model.State) {
			st.TCP.Pressure.BindPools = []model.BindPool{{Local: source.Addr4([4]byte{10, 0, 0, 9}), Used: 28222, Bound: 3000, TimeWait: 222, Level: model.LevelExhausted}}
			st.TCP.Pressure.Level, st.Level = model.LevelExhausted, model.LevelExhausted
		}, OnTuple, model.LevelExhausted,
			"EPHTOP CRITICAL - no port of 28,222 is free to bind() on 10.0.0.9 | tuple=100%;60;80;0;100 pool=64.9%;60;80;0;100 " + quiet +
				" used=28222;;;0;28222 time_wait=222;;;0;28222 failures=U\n"},
		{"UDP that only IPv6 lacks", func(st *model.State) {
			u := &st.UDP.Pressure
			u.InUse, u.OnlyIPv6, u.Level, u.PoolLevel = 28222, 28000, model.LevelExhausted, model.LevelExhausted
			st.Level = model.LevelExhausted
		}, OnTuple, model.LevelExhausted,
			"EPHTOP CRITICAL - no UDP port of 28,222 is free for IPv6, 28,000 for IPv4 | tuple=63.8%;60;80;0;100 pool=64.9%;60;80;0;100 udp=100%;60;80;0;100" +
				" used=18006;;;0;28222 time_wait=9804;;;0;28222 failures=U\n"},
		{"a range that is not known", func(st *model.State) {
			st.TCP.Pressure.Tuples[0].FirstHalf = 7
			st.Snapshot.Settings.Assumed, st.Snapshot.Scope.Netns = true, 4026532453
		}, OnTuple, model.LevelWarning,
			"EPHTOP WARNING - 63.8 % of 28,222 ports to 10.0.9.2:5432 used, by an assumed range | tuple=63.8%;60;80;0;100 pool=64.9%;60;80;0;100 " + quiet +
				" used=18006;;;0;28222 time_wait=9804;;;0;28222 failures=U\n"},
		{"UDP that is worse", func(st *model.State) {
			u := &st.UDP.Pressure
			u.InUse, u.Level, u.PoolLevel = 24000, model.LevelCritical, model.LevelCritical
			st.Level = model.LevelCritical
		}, OnTuple, model.LevelCritical,
			"EPHTOP CRITICAL - 85 % of 28,222 UDP ports used | tuple=63.8%;60;80;0;100 pool=64.9%;60;80;0;100 udp=85%;60;80;0;100" +
				" used=18006;;;0;28222 time_wait=9804;;;0;28222 failures=U\n"},
		{"failures that were seen", func(st *model.State) {
			st.TCP.Pressure.Tuples[0].FirstHalf = 7
			st.Failures = model.Failures{Observed: true, Count: 30, Recent: 1}
			st.Level = model.LevelExhausted
		}, OnPool, model.LevelExhausted,
			"EPHTOP CRITICAL - 64.9 % of 28,222 TCP ports used, 30 connects failed | tuple=63.8%;60;80;0;100 pool=64.9%;60;80;0;100 " + quiet +
				" used=18006;;;0;28222 time_wait=9804;;;0;28222 failures=30c\n"},
		{"thresholds with decimals", func(st *model.State) {
			st.TCP.Pressure.Tuples[0].FirstHalf = 7
			st.Thresholds = model.Thresholds{Warning: 50, Critical: 72.5}
		}, OnTuple, model.LevelWarning,
			"EPHTOP WARNING - 63.8 % of 28,222 ports to 10.0.9.2:5432 used | tuple=63.8%;50;72.5;0;100 pool=64.9%;50;72.5;0;100 udp=0.8%;50;72.5;0;100" +
				" used=18006;;;0;28222 time_wait=9804;;;0;28222 failures=U\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := busyHost()
			if c.change != nil {
				c.change(st)
			}
			if got := CheckLevel(st, c.on); got != c.level {
				t.Errorf("level = %v, want %v", got, c.level)
			}
			var out bytes.Buffer
			if level, err := Check(&out, []*model.State{st}, nil, c.on); err != nil || level != c.level {
				t.Fatal(level, err)
			}
			if out.String() != c.want {
				t.Errorf("the line is\n%swant\n%s", out.String(), c.want)
			}
		})
	}
}

func TestCheckWithoutConnections(t *testing.T) {
	want := "EPHTOP OK - 0 % of 16,384 TCP ports used | tuple=0%;60;80;0;100 pool=0%;60;80;0;100 udp=0%;60;80;0;100 used=0;;;0;16384 time_wait=0;;;0;16384 failures=U\n"
	st := idleHost()
	st.Thresholds = model.DefaultThresholds
	var out bytes.Buffer
	if _, err := Check(&out, []*model.State{st}, nil, OnTuple); err != nil || out.String() != want {
		t.Errorf("error %v, the line is\n%swant\n%s", err, out.String(), want)
	}
}

// A program that has used up ports of its own is in trouble wherever the use of
// the range levels off.
func TestThePlateauOfAPoolThatIsFull(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		live  int
		level model.Level
		want  string
	}{
		{20, model.LevelExhausted, "EPHTOP CRITICAL - no port of 20 is free to 127.0.0.5:8080 from source ports 2000–2019 (as seen) | "},
		{4, model.LevelOK, "EPHTOP OK - levels off at 10 % of 200 ports to 127.0.0.1:8000 | "},
	} {
		st := idleHost()
		st.Thresholds, st.Level = model.DefaultThresholds, test.level
		pool := model.TupleUse{
			TupleKey: model.TupleKey{Destination: addr("127.0.0.5"), Port: 8080, Pool: model.PoolSourcePorts},
			Limit:    model.Limit{Kind: model.PoolSourcePorts, Low: 2000, High: 2019}, Live: test.live, Used: test.live, Free: 20 - test.live, Level: test.level,
			Outlook: model.Outlook{Trend: model.TrendSteady, Plateau: test.live},
		}
		if pool.Free == 0 {
			pool.Outlook.Trend = model.TrendFull
		}
		of := model.TupleUse{TupleKey: model.TupleKey{Destination: addr("127.0.0.1"), Port: 8000}, Live: 20, Used: 20, Free: 180, Outlook: model.Outlook{Plateau: 20}}
		st.TCP.Pressure = model.Pressure{Proto: source.TCP, Usable: 200, InUse: 20, Tuples: []model.TupleUse{pool, of}}
		var b strings.Builder
		if _, err := Check(&b, []*model.State{st}, nil, OnPlateau); err != nil || !strings.HasPrefix(b.String(), test.want) {
			t.Errorf("%v: %v, %q; want %q", test.level, err, b.String(), test.want)
		}
	}
}
