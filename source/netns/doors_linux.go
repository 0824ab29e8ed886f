package netns

import (
	"cmp"
	"strconv"
)

// Enter runs f in a namespace, on a thread that is at home again before Enter
// returns. The error is f's, ErrGone where the namespace has ended, or says why it
// may not be entered.
func (l *Lister) Enter(n *Namespace, f func() error) error {
	return l.doors(n).enter(&l.visitor, f)
}

// Away gives what does the same on a thread of its own, for what takes long: it may
// be called from any goroutine, and when there is another list.
func (l *Lister) Away(n *Namespace) func(f func() error) error {
	return l.doors(n).away
}

// away is enter on a thread of its own.
func (d doors) away(f func() error) error {
	v := new(visitor)
	defer v.close()
	return d.enter(v, f)
}

// doors are the ways into a namespace.
type doors struct {
	netns uint64
	paths []string
	err   error // why none is left
}

func (l *Lister) doors(n *Namespace) doors {
	d := doors{netns: n.Scope.Netns, err: ErrGone}
	if door := cmp.Or(n.Door, n.Oldest); door != 0 {
		d.paths = append(d.paths, l.proc.Root+"/"+strconv.Itoa(int(door))+"/ns/net")
	}
	if n.Path != "" {
		if _, late := l.number(n.Path); late != nil { // may be a name on a file server
			d.err = late
		} else {
			d.paths = append(d.paths, n.Path)
		}
	}
	return d
}

func (d doors) enter(v *visitor, f func() error) error {
	err := d.err
	for _, path := range d.paths {
		err = v.do(func(t *thread) error { return t.enter(path, d.netns, f) })
		if !isGone(err) && !isDenied(err) {
			break
		}
	}
	return err
}
