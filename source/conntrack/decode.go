package conntrack

import (
	"encoding/binary"
	"fmt"

	"ephtop/source"
	"ephtop/source/netlink"
)

// Numbers of linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h,
// nf_conntrack_common.h and nf_tables.h.
const (
	subsystem   = 1                // NFNL_SUBSYS_CTNETLINK
	typeNew     = subsystem << 8   // IPCTNL_MSG_CT_NEW: an entry
	typeGet     = subsystem<<8 | 1 // IPCTNL_MSG_CT_GET
	typeCPU     = subsystem<<8 | 4 // IPCTNL_MSG_CT_GET_STATS_CPU
	nfgenLen    = 4                // struct nfgenmsg
	attrType    = 0x3fff           // NLA_TYPE_MASK
	afUnspec    = 0
	tcpTimeWait = 7 // TCP_CONNTRACK_TIME_WAIT, behind which stand CLOSE and SYN_SENT2

	// ctattr_type, ctattr_tuple, ctattr_ip, ctattr_l4proto and ctattr_protoinfo.
	attrOriginal  = 1
	attrReply     = 2
	attrStatus    = 3
	attrProtoInfo = 4
	attrZone      = 18

	attrTupleIP    = 1
	attrTupleProto = 2
	attrTupleZone  = 3

	attrV4Source      = 1
	attrV4Destination = 2
	attrV6Source      = 3
	attrV6Destination = 4

	attrProto           = 1
	attrSourcePort      = 2
	attrDestinationPort = 3

	attrTCP      = 1
	attrTCPState = 1

	// ctattr_stats_cpu.
	attrFound         = 2
	attrInsertFailed  = 9
	attrDrop          = 10
	attrEarlyDrop     = 11
	attrClashResolved = 14

	// ip_conntrack_status.
	statusSeenReply = 1 << 1
	statusSNAT      = 1 << 4
	// statusStays is of entries that no new connection gets out of the way:
	// IPS_DYING, IPS_FIXED_TIMEOUT, IPS_OFFLOAD and IPS_HW_OFFLOAD.
	statusStays = 1<<9 | 1<<10 | 1<<14 | 1<<15

	tablesSubsystem   = 10                      // NFNL_SUBSYS_NFTABLES
	typeGeneration    = tablesSubsystem<<8 | 15 // NFT_MSG_NEWGEN
	typeGetGeneration = tablesSubsystem<<8 | 16 // NFT_MSG_GETGEN
	attrGeneration    = 1                       // NFTA_GEN_ID
)

// flow is an entry: a connection, as its packets look before and, coming back,
// behind what translates them.
type flow struct {
	original, reply source.Tuple // Local is the source of the packets
	status          uint32
	tcpState        uint8
	zone            uint16 // of the reply
}

// evictable reports whether the entry gives way to a new connection that finds no
// port (nf_nat_may_kill).
func (f *flow) evictable() bool {
	return f.reply.Proto == source.TCP && f.tcpState >= tcpTimeWait && f.status&(statusSNAT|statusStays) == statusSNAT
}

// decode hands the entries of a datagram to take, and reports whether it is the
// last one. Messages of another sequence
// number are left-overs of a dump that was broken off, and skipped.
func decode(b []byte, seq uint32, take func(*flow)) (done bool, err error) {
	var f flow
	return each(b, seq, typeNew, func(body []byte) error {
		f = flow{}
		if err := f.decode(body); err != nil {
			return err
		}
		take(&f)
		return nil
	})
}

// each calls take for each message of a type in a datagram, with what follows its
// struct nfgenmsg.
func each(b []byte, seq uint32, kind uint16, take func(body []byte) error) (done bool, err error) {
	for len(b) > 0 {
		m, rest, err := netlink.Next(b)
		if err != nil {
			return false, err
		}
		if b = rest; m.Seq != seq {
			continue
		}
		switch m.Type {
		case kind:
			if len(m.Body) < nfgenLen {
				return false, fmt.Errorf("%w: entry of %d bytes", netlink.ErrMalformed, len(m.Body))
			}
			if err := take(m.Body[nfgenLen:]); err != nil {
				return false, err
			}
		case netlink.Done:
			return true, netlink.Errno(m.Body)
		case netlink.Error:
			return false, netlink.Refusal(m.Body)
		case netlink.Overrun, netlink.Noop:
		default:
			return false, fmt.Errorf("%w: message type %d", netlink.ErrMalformed, m.Type)
		}
	}
	return false, nil
}

// decode reads the attributes of an entry.
func (f *flow) decode(b []byte) error {
	for len(b) > 0 {
		kind, value, rest, err := netlink.NextAttr(b)
		if err != nil {
			return err
		}
		switch b = rest; kind & attrType {
		case attrOriginal:
			_, err = decodeTuple(&f.original, value)
		case attrReply:
			var zone uint16
			if zone, err = decodeTuple(&f.reply, value); zone != 0 {
				f.zone = zone
			}
		case attrStatus:
			if len(value) >= 4 {
				f.status = binary.BigEndian.Uint32(value)
			}
		case attrProtoInfo:
			f.tcpState, err = tcpState(value)
		case attrZone:
			if len(value) >= 2 {
				f.zone = binary.BigEndian.Uint16(value)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// decodeTuple reads one direction of an entry, and the zone that is of it alone.
func decodeTuple(t *source.Tuple, b []byte) (zone uint16, err error) {
	for len(b) > 0 {
		kind, value, rest, err := netlink.NextAttr(b)
		if err != nil {
			return 0, err
		}
		if b = rest; kind&attrType == attrTupleZone && len(value) >= 2 {
			zone = binary.BigEndian.Uint16(value)
		}
		for len(value) > 0 && (kind&attrType == attrTupleIP || kind&attrType == attrTupleProto) {
			part, inner, more, err := netlink.NextAttr(value)
			if err != nil {
				return 0, err
			}
			value = more
			if kind&attrType == attrTupleIP {
				setAddress(t, part&attrType, inner)
			} else {
				setPort(t, part&attrType, inner)
			}
		}
	}
	return zone, nil
}

func setAddress(t *source.Tuple, kind uint16, value []byte) {
	var a source.Addr
	switch len(value) {
	case 4:
		a = source.Addr4([4]byte(value))
	case 16:
		a = source.Addr(value)
	}
	switch kind {
	case attrV4Source, attrV6Source:
		t.Local = a
	case attrV4Destination, attrV6Destination:
		t.Remote = a
	}
}

func setPort(t *source.Tuple, kind uint16, value []byte) {
	switch {
	case kind == attrProto && len(value) >= 1:
		t.Proto = source.Proto(value[0])
	case kind == attrSourcePort && len(value) >= 2:
		t.LocalPort = binary.BigEndian.Uint16(value)
	case kind == attrDestinationPort && len(value) >= 2:
		t.RemotePort = binary.BigEndian.Uint16(value)
	}
}

// tcpState reads the state of an entry of TCP, 0 for another protocol's.
func tcpState(b []byte) (state uint8, err error) {
	for len(b) > 0 {
		kind, value, rest, err := netlink.NextAttr(b)
		if err != nil {
			return 0, err
		}
		b = rest
		for kind&attrType == attrTCP && len(value) > 0 {
			part, inner, more, err := netlink.NextAttr(value)
			if err != nil {
				return 0, err
			}
			if value = more; part&attrType == attrTCPState && len(inner) > 0 {
				state = inner[0]
			}
		}
	}
	return state, nil
}

// addCounters adds the counters of one processor.
func addCounters(c *source.NATCounters, b []byte) error {
	for len(b) > 0 {
		kind, value, rest, err := netlink.NextAttr(b)
		if err != nil {
			return err
		}
		if b = rest; len(value) < 4 {
			continue
		}
		n := uint64(binary.BigEndian.Uint32(value))
		switch kind & attrType {
		case attrFound:
			c.Found += n
		case attrInsertFailed:
			c.InsertFailed += n
		case attrDrop:
			c.Drop += n
		case attrEarlyDrop:
			c.EarlyDrop += n
		case attrClashResolved:
			c.ClashResolved += n
		}
	}
	return nil
}

// decodeGeneration reads the generation of nf_tables, 0 where the datagram answers
// something else.
func decodeGeneration(b []byte, seq uint32) (generation uint32, err error) {
	_, err = each(b, seq, typeGeneration, func(body []byte) error {
		for len(body) > 0 {
			kind, value, rest, err := netlink.NextAttr(body)
			if err != nil {
				return err
			}
			if body = rest; kind&attrType == attrGeneration && len(value) >= 4 {
				generation = binary.BigEndian.Uint32(value)
			}
		}
		if generation == 0 {
			return fmt.Errorf("%w: no generation", netlink.ErrMalformed)
		}
		return nil
	})
	return generation, err
}
