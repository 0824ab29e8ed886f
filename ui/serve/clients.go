package serve

import (
	"net"
	"net/http"
	"sync"
)

// clients bounds the connections of all listeners. One that is too many has the
// one that has asked nothing for the longest time close, so that who holds many
// locks nobody out; it is closed itself where all others are being answered.
type clients struct {
	mu      sync.Mutex
	open    int
	turn    uint64
	waiting map[net.Conn]uint64 // since which turn, for a request
}

// bound is an [http.Server.ConnState].
func (c *clients) bound(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		if c.open++; c.open > maxConnections {
			c.closeOne(conn)
			return
		}
		c.wait(conn)
	case http.StateIdle:
		c.wait(conn)
	case http.StateActive:
		delete(c.waiting, conn)
	case http.StateClosed, http.StateHijacked:
		delete(c.waiting, conn)
		c.open--
	}
}

// closeOne makes room for a new connection, or closes it.
func (c *clients) closeOne(conn net.Conn) {
	oldest := conn
	for other, since := range c.waiting {
		if oldest == conn || since < c.waiting[oldest] {
			oldest = other
		}
	}
	if oldest != conn {
		delete(c.waiting, oldest)
		c.wait(conn)
	}
	go oldest.Close() // which may wait, to take its leave by TLS
}

func (c *clients) wait(conn net.Conn) {
	if c.waiting == nil {
		c.waiting = make(map[net.Conn]uint64)
	}
	c.turn++
	c.waiting[conn] = c.turn
}
