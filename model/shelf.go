package model

// shelf has room for one snapshot and some more: last is put at its end, and
// next grows from its beginning as last is used up. What is left behind is kept
// aside.
//
//	room   a b - - - d e f g    c was left, and d is next
type shelf[T any] struct {
	room []T
	next []T // the beginning of room
	last []T // its end, during begin
}

// begin puts what was next at the end of room.
func (s *shelf[T]) begin(n int) {
	last := s.next
	if most := max(n, len(last)); len(s.room) < most+most/32 {
		s.room = make([]T, most+most/16)
	}
	s.last = s.room[len(s.room)-len(last):]
	copy(s.last, last)
	s.next = s.room[:n]
}

// reaches tells whether a row of next has got as far as what is left of last, from
// an index on.
func (s *shelf[T]) reaches(row, from int) bool { return row >= len(s.room)-len(s.last)+from }

// widen makes a wider room, as so many rows have used up that between next and
// what is left of last from an index on.
func (s *shelf[T]) widen(rows, from int) {
	before, last := s.next[:rows], s.last
	s.room = make([]T, len(s.room)+len(s.room)/4+1)
	s.last = s.room[len(s.room)-len(last):]
	copy(s.last[from:], last[from:])
	s.next = s.room[:len(s.next)]
	copy(s.next, before)
}
