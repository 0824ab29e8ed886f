package recording

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ephtop/source"
)

// moment is what a reader knows at one moment: all of it, built up from the
// last full moment.
type moment struct {
	start time.Time
	forms json.Options

	n      int
	t      time.Duration
	head   source.Moment
	known  []entry // by id − 1
	scopes []*scope
	byKey  map[scopeKey]*scope

	scope *scope // that of the line
	rows  int    // of all scopes
	ports int    // that were blocked anew
}

// scope is one namespace in a moment.
type scope struct {
	head source.Snapshot
	rows []row // by id − 1
	used int   // rows that are a socket
	n    int   // the last moment that had it
}

// What the lines of a moment hold. The lists read themselves into the moment.
type (
	momentLine struct {
		stamp
		*source.Moment
		Ended     ended     `json:"ended"`
		Processes entries   `json:"processes"`
		Events    eventList `json:"events"`
	}
	scopeLine struct {
		N     int          `json:"n"`
		Scope source.Scope `json:"scope"`
		*source.Snapshot
		Blocked ports   `json:"blocked"`
		Freed   ports   `json:"freed"`
		VRFs    vrfs    `json:"vrfs"`
		Gone    gone    `json:"gone"`
		Changed changed `json:"changed"`
		Sockets added   `json:"sockets"`
	}

	ended     struct{}
	entries   struct{}
	eventList struct{}
	gone      struct{}
	changed   struct{}
	added     struct{}
	vrfs      struct{}
)

func newMoment(start time.Time) *moment {
	m := &moment{start: start, byKey: make(map[scopeKey]*scope)}
	m.forms = json.WithUnmarshalers(json.JoinUnmarshalers(append(forms(&m.start),
		json.UnmarshalFromFunc(m.readEnded), json.UnmarshalFromFunc(m.readProcesses), json.UnmarshalFromFunc(m.readEvents),
		json.UnmarshalFromFunc(readPorts), json.UnmarshalFromFunc(m.readVRFs),
		json.UnmarshalFromFunc(m.readGone), json.UnmarshalFromFunc(m.readChanged), json.UnmarshalFromFunc(m.readAdded),
	)...))
	return m
}

// read makes m the next moment by its lines, which end in text where ends says.
// After an error, m is no moment.
func (m *moment) read(s stamp, text []byte, ends []int) error {
	m.n, m.t, m.rows, m.ports = s.N, s.T, 0, 0
	m.scopes = m.scopes[:0]
	if s.Full {
		m.head = source.Moment{}
		m.known = m.known[:0]
		clear(m.byKey)
	}
	m.head.Events = m.head.Events[:0]
	line := momentLine{Moment: &m.head}
	if err := json.Unmarshal(text[:ends[0]], &line, m.forms); err != nil {
		return err
	}
	if line.stamp != s {
		return errors.New("n, t, full or scopes in a wrong place")
	}
	for i := range s.Scopes {
		if err := m.readScope(text[ends[i]:ends[i+1]]); err != nil {
			return err
		}
	}
	return m.finish()
}

// readScope reads the line of one namespace.
func (m *moment) readScope(text []byte) error {
	var line scopeLine
	dec := jsontext.NewDecoder(bytes.NewReader(text), m.forms)
	err := leading(dec, func(name string) (bool, error) {
		switch name {
		case "n":
			return true, json.UnmarshalDecode(dec, &line.N)
		case "scope":
			return true, json.UnmarshalDecode(dec, &line.Scope, m.forms)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	key := keyOf(&line.Scope)
	s := m.byKey[key]
	switch {
	case line.N != m.n:
		return errors.New("a namespace is missing")
	case s != nil && s.n == m.n:
		return fmt.Errorf("namespace %d of host %q is there twice", key.netns, key.host)
	case s == nil, !s.head.Scope.Same(&line.Scope):
		s = new(scope)
		m.byKey[key] = s
	}
	s.n, s.head.Scope = m.n, line.Scope
	m.scopes = append(m.scopes, s)
	m.scope = s
	m.rows += len(s.rows)
	line = scopeLine{Snapshot: &s.head}
	if err := json.Unmarshal(text, &line, m.forms); err != nil {
		return err
	}
	if line.N != m.n || line.Scope != s.head.Scope {
		return errors.New("n or scope in a wrong place")
	}
	s.head.Blocked, err = m.change(s.head.Blocked, line.Blocked, line.Freed)
	return err
}

// readIDs calls end for each of a list of ids.
func readIDs(dec *jsontext.Decoder, most int, end func(id uint32) error) error {
	return each(dec, most, func() error {
		var id uint32
		if err := json.UnmarshalDecode(dec, &id); err != nil {
			return err
		}
		return end(id)
	})
}

func (m *moment) readEnded(dec *jsontext.Decoder, _ *ended) error {
	return readIDs(dec, maxProcesses, func(id uint32) error {
		if !m.lives(id) {
			return fmt.Errorf("unknown process %d", id)
		}
		m.known[id-1] = entry{}
		return nil
	})
}

// lives tells whether an id is that of a process.
func (m *moment) lives(id uint32) bool {
	return id != 0 && int(id) <= len(m.known) && m.known[id-1].ID == id
}

// merge reads objects into those that find gives by their ids.
func (m *moment) merge(dec *jsontext.Decoder, most int, find func(id uint32) (any, error)) error {
	return each(dec, most, func() error {
		raw, err := dec.ReadValue()
		if err != nil {
			return err
		}
		id, err := readID(raw)
		if err != nil {
			return err
		}
		to, err := find(id)
		if err != nil {
			return err
		}
		return json.Unmarshal(raw, to, m.forms)
	})
}

// readProcesses reads processes that are new or changed.
func (m *moment) readProcesses(dec *jsontext.Decoder, _ *entries) error {
	return m.merge(dec, maxProcesses, func(id uint32) (any, error) {
		n := int(id) - 1
		if n < 0 || n > len(m.known) || n == maxProcesses {
			return nil, fmt.Errorf("process %d out of order", id)
		}
		if n == len(m.known) {
			m.known = append(m.known, entry{})
		}
		return &m.known[n], nil
	})
}

func (m *moment) readEvents(dec *jsontext.Decoder, _ *eventList) error {
	return each(dec, maxEvents, func() error {
		var e source.Event
		if err := json.UnmarshalDecode(dec, &e); err != nil {
			return err
		}
		m.head.Events = append(m.head.Events, e)
		return checkEvent(&e)
	})
}

func (m *moment) readGone(dec *jsontext.Decoder, _ *gone) error {
	return readIDs(dec, maxSockets, func(id uint32) error {
		if !m.scope.has(id) {
			return fmt.Errorf("unknown socket %d", id)
		}
		m.scope.rows[id-1] = row{}
		m.scope.used--
		return nil
	})
}

// has tells whether an id is that of a socket.
func (s *scope) has(id uint32) bool {
	return id != 0 && int(id) <= len(s.rows) && s.rows[id-1].ID == id
}

func (m *moment) readChanged(dec *jsontext.Decoder, _ *changed) error {
	return m.merge(dec, maxSockets, func(id uint32) (any, error) {
		if !m.scope.has(id) {
			return nil, fmt.Errorf("unknown socket %d", id)
		}
		return &m.scope.rows[id-1], nil
	})
}

// readAdded reads sockets that are new.
func (m *moment) readAdded(dec *jsontext.Decoder, _ *added) error {
	s := m.scope
	last := uint32(0)
	return each(dec, maxSockets, func() error {
		r := row{ID: last + 1}
		if err := json.UnmarshalDecode(dec, &r); err != nil {
			return err
		}
		n := int(r.ID) - 1
		if n < 0 || n > len(s.rows) || s.has(r.ID) {
			return fmt.Errorf("socket %d out of order", r.ID)
		}
		if n == len(s.rows) {
			if m.rows++; m.rows > maxSockets {
				return fmt.Errorf("more than %d sockets", maxSockets)
			}
			s.rows = append(s.rows, row{})
		}
		s.rows[n] = r
		s.used++
		last = r.ID
		return nil
	})
}

// check tells whether a socket makes sense. What is left of its timer must fit
// in Socket.Expires.
func (m *moment) check(r *row) error {
	if r.Until < 0 || r.Until%time.Millisecond != 0 || left(r.Until, m.t) > math.MaxUint32 {
		return errors.New("bad deadline of a timer")
	}
	if r.Owner != 0 && !m.lives(r.Owner) {
		return fmt.Errorf("unknown process %d", r.Owner)
	}
	return checkSocket(&r.Socket)
}

// finish drops the namespaces that are gone and checks what is there.
func (m *moment) finish() error {
	for key, s := range m.byKey {
		if s.n != m.n {
			delete(m.byKey, key)
		}
	}
	if err := checkNATs(m.head.NATs); err != nil {
		return err
	}
	blocked := 0
	for _, s := range m.scopes {
		if err := s.head.Settings.Validate(); err != nil {
			return fmt.Errorf("settings: %w", err)
		}
		if err := checkRest(&s.head); err != nil {
			return err
		}
		if err := checkBlocked(&s.head, &blocked); err != nil {
			return err
		}
		for i := range s.rows {
			r := &s.rows[i]
			if r.ID == 0 {
				continue
			}
			if err := m.check(r); err != nil {
				return fmt.Errorf("socket %d: %w", r.ID, err)
			}
		}
	}
	if n := textBytes(m.known); n > maxTexts {
		return fmt.Errorf("%d bytes of names and command lines", n)
	}
	return nil
}

// fill makes to this moment.
func (m *moment) fill(to *source.Moment) {
	processes, snapshots, room := to.Processes[:0], to.Snapshots[:0], to.Room[:0]
	*to = m.head
	detach(reflect.ValueOf(to).Elem())
	to.Time = m.start.Add(m.t)
	places := make([]int32, len(m.known))
	for i := range m.known {
		places[i] = int32(len(processes))
		if m.known[i].ID != 0 {
			processes = append(processes, m.known[i].Process)
		}
	}
	used := 0
	for _, s := range m.scopes {
		used += s.used
	}
	room = slices.Grow(room, used)
	for _, s := range m.scopes {
		snapshot := s.head
		detach(reflect.ValueOf(&snapshot).Elem())
		from := len(room)
		room = s.appendTo(room, places, m.t)
		snapshot.Sockets = room[from:len(room):len(room)]
		snapshots = append(snapshots, snapshot)
	}
	to.Processes, to.Snapshots, to.Room = processes, snapshots, room
}

// appendTo appends the sockets as they are at now. places gives the index of a
// process by its id − 1.
func (s *scope) appendTo(room []source.Socket, places []int32, now time.Duration) []source.Socket {
	for i := range s.rows {
		r := &s.rows[i]
		if r.ID == 0 {
			continue
		}
		room = append(room, r.Socket)
		k := &room[len(room)-1]
		k.Expires = uint32(left(r.Until, now))
		k.Process = source.NoProcess
		if r.Owner != 0 {
			k.Process = places[r.Owner-1]
		}
	}
	return room
}

// detach gives a struct lists of its own, so that reading on changes nothing
// of it.
func detach(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				detach(f)
			}
		}
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(list, v)
		v.Set(list)
		if k := list.Type().Elem().Kind(); k != reflect.Struct && k != reflect.Slice {
			return
		}
		for i := range list.Len() {
			detach(list.Index(i))
		}
	}
}
