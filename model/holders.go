package model

import "ephtop/source"

// few sockets are those that are sorted, not counted, by port.
const few = 1 << 10

// pageBits is the binary logarithm of how many ports a page has: the holders of
// one fit into a processor's cache, and not many are written to at a time.
const pageBits = 10

// holder is what the census needs to know of a socket that holds an ephemeral
// port, so that it need not go back to the socket.
type holder struct {
	row    int32
	tuple  int32 // or noTuple
	whose  int32 // see consumerTally.whose
	cgroup int32 // its control group, or noCgroup
	port   uint16
	state  source.State
	age    uint8 // in TIME_WAIT, in seconds up to maxAge, or noAge
	sign   sign
	traits traits
}

// traits are what is so of a holder.
type traits uint8

const (
	isBlocked   traits = 1 << iota // its port is, for everyone
	isBound                        // it blocks its port, and is no listener's
	isFresh                        // it was not there at the look before
	isReusable                     // connect() may take its port over
	isInferred                     // its process is
	isScattered                    // its tuple is left out
)

func (h *holder) is(t traits) bool { return h.traits&t != 0 }

// set adds a trait if it is so.
func (h *holder) set(t traits, so bool) {
	if so {
		h.traits |= t
	}
}

// maxAge is the greatest age in TIME_WAIT that is told apart, in seconds.
const (
	maxAge = 254
	noAge  = 255
)

// closing tells whether it is a TIME_WAIT younger than ClosingSpan.
func (h *holder) closing() bool { return h.age < closingSeconds }

// place gives the place of the next holder of a port; one that is passed over
// where the port is not ephemeral.
func (c *census) place(ephemeral bool, port uint16) *holder {
	if !ephemeral {
		return &c.nobody
	}
	if c.few {
		c.holders = append(c.holders, holder{})
		return &c.holders[len(c.holders)-1]
	}
	at := &c.pages[port>>pageBits]
	h := &c.holders[*at]
	*at++
	return h
}

// placeByPort turns the counts of ports into the places of their holders.
func (c *census) placeByPort(r source.PortRange) {
	if c.few {
		return
	}
	for port := int(r.Low) + 1; port <= int(r.High)+1; port++ {
		c.counts[port] += c.counts[port-1]
	}
	for page := range c.pages {
		c.pages[page] = c.counts[page<<pageBits]
	}
	c.holders = resize(c.holders, int(c.counts[int(r.High)+1]))
}

// sortPages sorts the holders of each page by port, where they lie one
// behind the other: to put half a million holders straight to their places takes
// as many cache misses.
func (c *census) sortPages() {
	from := int32(0)
	for _, to := range c.pages {
		if to <= from {
			continue
		}
		page := c.holders[from:to]
		c.page = append(c.page[:0], page...)
		for i := range c.page {
			h := &c.page[i]
			at := &c.counts[h.port]
			c.holders[*at] = *h
			*at++
		}
		from = to
	}
}
