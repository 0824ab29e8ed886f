package live

import (
	"context"
	"time"

	"ephtop/source"
	"ephtop/source/sockdiag"
)

// peers asks the kernel which destinations send timestamps: a dump does not tell,
// and without them no TIME_WAIT is taken over. It asks about few live connections,
// and seldom.
type peers struct {
	warn  float64 // percent of the ports that a destination must hold to be asked about
	asked bool
	last  time.Duration // Moment.Mono
}

const (
	askEvery = 10 * time.Second
	askMost  = 3 // connections to each destination
)

// peer is a destination.
type peer struct {
	addr source.Addr
	port uint16
}

// peerUse is what is held towards it.
type peerUse struct{ ports, timeWait, asked int }

// ask notes in some live sockets whether they have timestamps, where most ports
// are held towards one destination, and TIME_WAIT might be taken over.
func (p *peers) ask(ctx context.Context, d *sockdiag.Dumper, s *source.Snapshot, now time.Duration) {
	least := p.warn / 100 * float64(s.Settings.Usable())
	if s.Settings.ReuseTimeWait <= 0 || float64(len(s.Sockets)) < least || p.asked && now-p.last < askEvery {
		return
	}
	p.asked, p.last = true, now
	uses := make(map[peer]*peerUse)
	each := func(do func(*source.Socket, *peerUse)) {
		for i := range s.Sockets {
			k := &s.Sockets[i]
			if k.Proto != source.TCP || k.RemotePort == 0 || !s.Settings.Range.Contains(k.LocalPort) {
				continue
			}
			at := peer{k.Remote, k.RemotePort}
			if uses[at] == nil {
				uses[at] = new(peerUse)
			}
			do(k, uses[at])
		}
	}
	each(func(k *source.Socket, u *peerUse) {
		u.ports++
		if k.State == source.TimeWait {
			u.timeWait++
		}
	})
	refused := false
	each(func(k *source.Socket, u *peerUse) {
		if refused || float64(u.ports) < least || u.timeWait == 0 || u.asked == askMost || k.State != source.Established {
			return
		}
		u.asked++
		refused = d.Stamps(ctx, k) != nil // then it stays unknown
	})
}
