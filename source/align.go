package source

// How far Align looks.
const (
	near     = 16   // places for each row
	far      = 4096 // after so many misses in a row as patience says,
	patience = 4
	farTries = 64 // and so often in all
)

// Align finds n rows among the m of the look before, most of which stand in the
// same order, since the kernel walks the same hash table:
//
//	before  a  b  c  d  e  f  g
//	        |  |     |     |  |
//	now     a  b     d  x  f  g  c
//
//	a b g  are where they are expected: one comparison each
//	d f    are a few places on, for c and e are not there any more
//	x c    are not within the next 16 places: missed
//
// A stretch of those before that is gone is longer than 16 places where many
// connections closed together; after some misses in a row one row is therefore
// looked for much further on, but not so often that a host on which nothing is
// where it was would pay for it.
//
// same reports whether row i is row j of before. found is called for each row in
// turn, with a j that rises, or with -1 for one that was missed: who wants to be
// sure looks for it among those that no row was found to be.
func Align(n, m int, same func(i, j int) bool, found func(i, j int)) {
	at, misses, tries := 0, 0, farTries
	for i := range n {
		reach := near
		if misses >= patience && tries > 0 {
			reach = far
			tries--
			misses = 0
		}
		j := at
		for end := min(at+reach, m); j < end && !same(i, j); {
			j++
		}
		if j < min(at+reach, m) {
			at, misses = j+1, 0
		} else {
			j = -1
			misses++
		}
		found(i, j)
	}
}
