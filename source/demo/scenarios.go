package demo

import "ephtop/source"

// scenario is a story and the host that it happens on.
type scenario struct {
	Scenario
	host  string
	local source.Addr
	begin func(*machine)
}

// scenarios are all stories, the one that shows the most first.
var scenarios = [...]scenario{
	{
		Scenario{"no-pool", "a service without a connection pool runs out of ports towards its database, and recovers"},
		"demo-web-01", source.Addr4([4]byte{10, 0, 4, 7}), noPool,
	},
	{
		Scenario{"browsing", "a browser opens a page over six connections, and the ports come back"},
		"demo-laptop", source.Addr4([4]byte{192, 168, 1, 23}), browsing,
	},
	{
		Scenario{"leak", "a process never closes what its peers have closed: CLOSE_WAIT grows"},
		"demo-reports-01", source.Addr4([4]byte{10, 0, 5, 12}), leak,
	},
	{
		Scenario{"blocked", "a firewall drops the answers of one destination: SYN_SENT lingers"},
		"demo-pay-01", source.Addr4([4]byte{10, 0, 6, 4}), blocked,
	},
	{
		Scenario{"busy", "more connections than the range has ports, to many destinations, and all is well"},
		"demo-edge-01", source.Addr4([4]byte{10, 0, 4, 31}), busy,
	},
}
