package demo

import "ephtop/source"

// scenario is a story and the host that it happens on.
type scenario struct {
	Scenario
	host  string
	local source.Addr
	begin func(*machine)
	// spaces are the namespaces of a host of containers, in place of begin.
	spaces []space
}

// scenarios are all stories, the one that shows the most first.
var scenarios = [...]scenario{
	{
		Scenario{"no-pool", "a service without a connection pool runs out of ports towards its database, and recovers"},
		"demo-web-01", source.Addr4([4]byte{10, 0, 4, 7}), noPool, nil,
	},
	{
		Scenario{"browsing", "a browser opens a page over six connections, and the ports come back"},
		"demo-laptop", source.Addr4([4]byte{192, 168, 1, 23}), browsing, nil,
	},
	{
		Scenario{"leak", "a process never closes what its peers have closed: CLOSE_WAIT grows"},
		"demo-reports-01", source.Addr4([4]byte{10, 0, 5, 12}), leak, nil,
	},
	{
		Scenario{"blocked", "a firewall drops the answers of one destination: SYN_SENT lingers"},
		"demo-pay-01", source.Addr4([4]byte{10, 0, 6, 4}), blocked, nil,
	},
	{
		Scenario{"busy", "more connections than the range has ports, to many destinations, and all is well"},
		"demo-edge-01", source.Addr4([4]byte{10, 0, 4, 31}), busy, nil,
	},
	{
		Scenario{"containers", "one pod of a dozen network namespaces runs out of ports, while containers come and go"},
		"demo-node-07", source.Addr{}, nil, node,
	},
}
