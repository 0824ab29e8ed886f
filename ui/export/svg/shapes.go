package svg

// The size of a cell, in the picture's units. Both are whole eighths, so that
// blocks end on whole units.
const (
	cellWidth, cellHeight = 8, 16
)

// shapes are the paths of the characters that are drawn, from the upper left
// corner of their cell on. Lines meet from cell to cell, whatever the font.
var shapes = map[rune]string{
	'─': "m0 7h8v1h-8z",
	'━': "m0 6h8v3h-8z",
	'│': "m4 0h1v16h-1z",
	'┃': "m3 0h3v16h-3z",
	'┊': "m4 1h1v2h-1zm0 4h1v2h-1zm0 4h1v2h-1zm0 4h1v2h-1z",
	'╭': "m4 16v-5a4 4 0 0 1 4-4v1a3 3 0 0 0-3 3v5z",
	'╮': "m0 7h1a4 4 0 0 1 4 4v5h-1v-5a3 3 0 0 0-3-3h-1z",
	'╰': "m4 0v4a4 4 0 0 0 4 4v-1a3 3 0 0 1-3-3v-4z",
	'╯': "m5 0v4a4 4 0 0 1-4 4h-1v-1h1a3 3 0 0 0 3-3v-4z",

	'▏': "m0 0h1v16h-1z",
	'▎': "m0 0h2v16h-2z",
	'▍': "m0 0h3v16h-3z",
	'▌': "m0 0h4v16h-4z",
	'▋': "m0 0h5v16h-5z",
	'▊': "m0 0h6v16h-6z",
	'▉': "m0 0h7v16h-7z",
	'█': "m0 0h8v16h-8z",
	'▁': "m0 14h8v2h-8z",
	'▂': "m0 12h8v4h-8z",
	'▃': "m0 10h8v6h-8z",
	'▄': "m0 8h8v8h-8z",
	'▅': "m0 6h8v10h-8z",
	'▆': "m0 4h8v12h-8z",
	'▇': "m0 2h8v14h-8z",
	'░': "m0 0h8v16h-8z",
	'▒': "m0 0h8v16h-8z",
	'▓': "m0 0h8v16h-8z",

	'■': "m1 5h6v6h-6z",
	'●': "m1 8a3 3 0 0 1 6 0a3 3 0 0 1-6 0z",
	'▶': "m1 4l6 4l-6 4z",
	'▸': "m2 5l4 3l-4 3z",
	'◂': "m6 5l-4 3l4 3z",
	'▾': "m1 6h6l-3 4z",
	'▴': "m1 10h6l-3-4z",
	'→': "m0 7h4v-2l4 3-4 3v-2h-4z",
	'←': "m8 7h-4v-2l-4 3 4 3v-2h4z",
	'↑': "m3 12v-5h-2l3-4 3 4h-2v5z",
	'↓': "m3 4v5h-2l3 4 3-4h-2v-5z",
	'‖': "m2 3h1v10h-1zm3 0h1v10h-1z",
	'‼': "m1 3h2v7h-2zm0 8h2v2h-2zm4-8h2v7h-2zm0 8h2v2h-2z",
	'✖': "m0 5l1.5-1.5 2.5 2.5 2.5-2.5 1.5 1.5-2.5 3 2.5 3-1.5 1.5-2.5-2.5-2.5 2.5-1.5-1.5 2.5-3z",
}

// shades are how much of its cell a character covers, in quarters.
var shades = map[rune]int{'░': 1, '▒': 2, '▓': 3}

// stretch tells of characters that look the same as so many of them in a row, drawn
// wide as all together.
func stretch(r rune) (top, height int, ok bool) {
	switch {
	case r == '─':
		return 7, 1, true
	case r == '━':
		return 6, 3, true
	case r >= '▁' && r <= '█':
		n := 2 * int(r-'▁'+1)
		return cellHeight - n, n, true
	case shades[r] > 0:
		return 0, cellHeight, true
	}
	return 0, 0, false
}
