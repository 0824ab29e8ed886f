package svg

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"ephtop/ui/theme"
)

// layer is the markup of pieces that don't lie over one another.
type layer struct {
	bytes.Buffer
	// ended are pieces that are seen no more, and not yet drawn.
	ended []piece
	// spans are those of the groups that were drawn.
	spans []span
}

// change has the pieces of a row be others from a time on. Those that stand in
// both go on.
func (l *layer) change(before, now []piece, at time.Duration) []piece {
	for i := range now {
		now[i].since = at
		for len(before) > 0 && before[0].x < now[i].x {
			l.ended = append(l.ended, before[0])
			before = before[1:]
		}
		if len(before) > 0 && before[0].x == now[i].x {
			if before[0].same(&now[i]) {
				now[i].since = before[0].since
			} else {
				l.ended = append(l.ended, before[0])
			}
			before = before[1:]
		}
	}
	l.ended = append(l.ended, before...)
	return now
}

// flush draws what has ended at a time, a group for each time that it began; end
// is 0 for what is seen to the end.
func (l *layer) flush(end time.Duration) {
	slices.SortStableFunc(l.ended, func(a, b piece) int {
		return cmp.Or(cmp.Compare(a.since, b.since), cmp.Compare(a.kind, b.kind), cmp.Compare(a.style, b.style))
	})
	for rest := l.ended; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].since == rest[0].since {
			n++
		}
		if s := (span{rest[0].since, end}); s.to == 0 || s.from < s.to {
			l.group(s, rest[:n])
		}
		rest = rest[n:]
	}
	l.ended = l.ended[:0]
}

// group draws pieces of one span.
func (l *layer) group(s span, pieces []piece) {
	if s == (span{}) {
		l.pieces(pieces)
		return
	}
	l.spans = append(l.spans, s)
	fmt.Fprintf(l, "<g class=%q>", s.name())
	l.pieces(pieces)
	l.WriteString("</g>\n")
}

// name is what the class of a span is called, in milliseconds.
func (s span) name() string {
	return "t" + strconv.FormatInt(s.from.Milliseconds(), 36) + "-" + strconv.FormatInt(s.to.Milliseconds(), 36)
}

// pieces draws pieces that are sorted by kind and style.
func (l *layer) pieces(all []piece) {
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].kind == all[0].kind && all[n].style == all[0].style {
			n++
		}
		switch all[0].kind {
		case ground:
			l.grounds(all[:n])
		case shape:
			l.shapes(all[:n])
		default:
			for i := range all[:n] {
				l.text(&all[i])
			}
		}
		all = all[n:]
	}
}

// grounds draws backgrounds of one style.
func (l *layer) grounds(pieces []piece) {
	fmt.Fprintf(l, `<path class="%s" d="`, groundClass(pieces[0].style))
	for i := range pieces {
		p := &pieces[i]
		fmt.Fprintf(l, "M%d %dh%dv%dh-%dz", p.x*cellWidth, p.y*cellHeight, p.width*cellWidth, cellHeight, p.width*cellWidth)
	}
	l.WriteString(`"/>`)
}

// shapes draws shapes of one style: a path for each shade.
func (l *layer) shapes(pieces []piece) {
	var paths [4][]byte
	for i := range pieces {
		p := &pieces[i]
		x := p.x
		for text := p.text; text != ""; {
			r, size := utf8.DecodeRuneInString(text)
			n := 0
			for next := r; next == r; {
				text = text[size:]
				n++
				next, size = utf8.DecodeRuneInString(text)
			}
			paths[shades[r]] = appendShape(paths[shades[r]], r, n, x*cellWidth, p.y*cellHeight)
			x += n
		}
	}
	for shade, path := range paths {
		if path == nil {
			continue
		}
		class := textClass(pieces[0].style)
		if shade > 0 {
			class += " s" + strconv.Itoa(shade)
		}
		fmt.Fprintf(l, `<path%s d="%s"/>`, attribute(strings.TrimSpace(class)), path)
	}
}

// appendShape appends n of a character, from x and y on.
func appendShape(b []byte, r rune, n, x, y int) []byte {
	if top, height, ok := stretch(r); ok {
		w := n * cellWidth
		return fmt.Appendf(b, "M%d %dh%dv%dh-%dz", x, y+top, w, height, w)
	}
	for i := range n {
		b = append(fmt.Appendf(b, "M%d %d", x+i*cellWidth, y), shapes[r]...)
	}
	return b
}

// baseline is where in a cell characters stand.
const baseline = 12

// text draws words or a sign. They take just their columns, whatever the font.
func (l *layer) text(p *piece) {
	fmt.Fprintf(l, `<text%s x="%d" y="%d"`, attribute(textClass(p.style)), p.x*cellWidth, p.y*cellHeight+baseline)
	switch {
	case p.kind == sign:
		fmt.Fprintf(l, ` textLength="%d" lengthAdjust="spacingAndGlyphs"`, p.width*cellWidth)
	case p.width > 1:
		fmt.Fprintf(l, ` textLength="%d"`, p.width*cellWidth)
	}
	l.WriteByte('>')
	escape(&l.Buffer, p.text)
	l.WriteString("</text>")
}

// escape writes text as XML: never markup, and no character that XML 1.0 has not.
func escape(b *bytes.Buffer, text string) {
	for _, r := range text {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '"':
			b.WriteString("&#34;")
		case r < 0x20, r >= 0x7f && r < 0xa0, r == 0xfffe, r == 0xffff:
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
}

// attribute is a class as an attribute; nothing for none.
func attribute(class string) string {
	if class == "" {
		return ""
	}
	return ` class="` + class + `"`
}

// textClass is the class of a role; none for plain text.
func textClass(role theme.Role) string {
	if role == theme.Text {
		return ""
	}
	return "r" + strconv.Itoa(int(role))
}

func groundClass(role theme.Role) string { return "b" + strconv.Itoa(int(role)) }
