package demo

import "ephtop/source"

// scenario is a story and the host that it happens on.
type scenario struct {
	Scenario
	host  string
	local source.Addr
	begin func(*machine)
	// tables says that the kernel's own tables are read, which tell who picked
	// each port.
	tables bool
	// spaces are the namespaces of a host of containers, in place of begin.
	spaces []space
}

// scenarios are all stories, the one that shows the most first.
var scenarios = [...]scenario{
	{
		Scenario{"no-pool", "a service without a connection pool runs out of ports towards its database, and recovers"},
		"demo-web-01", source.Addr4([4]byte{10, 0, 4, 7}), noPool, false, nil,
	},
	{
		Scenario{"browsing", "a browser opens a page over six connections, and the ports come back"},
		"demo-laptop", source.Addr4([4]byte{192, 168, 1, 23}), browsing, false, nil,
	},
	{
		Scenario{"leak", "a process never closes what its peers have closed: CLOSE_WAIT grows"},
		"demo-reports-01", source.Addr4([4]byte{10, 0, 5, 12}), leak, false, nil,
	},
	{
		Scenario{"blocked", "a firewall drops the answers of one destination: SYN_SENT lingers"},
		"demo-pay-01", source.Addr4([4]byte{10, 0, 6, 4}), blocked, false, nil,
	},
	{
		Scenario{"busy", "more connections than the range has ports, to many destinations, and all is well"},
		"demo-edge-01", source.Addr4([4]byte{10, 0, 4, 31}), busy, false, nil,
	},
	{
		Scenario{"bound-first", "a client binds before it connects: two destinations share one pool, and it runs out"},
		"demo-import-01", source.Addr4([4]byte{10, 0, 7, 9}), boundFirst, true, nil,
	},
	{
		Scenario{"containers", "one pod of a dozen network namespaces runs out of ports, while containers come and go"},
		"demo-node-07", source.Addr{}, nil, true, node,
	},
	{
		Scenario{"snat", "containers use up the ports that source NAT gives them towards one destination"},
		"demo-nat-01", source.Addr{}, nil, true, translating,
	},
}
