package svg

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"ephtop/ui/theme"
)

// padding is what is free around the screen.
const padding = 10

// fonts are monospaced ones that systems have. Their width is made to fit.
const fonts = `ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace`

// finish writes the whole picture. length is how long it takes until it begins
// anew; poster is the time that is seen where nothing moves.
func (d *drawing) finish(w io.Writer, length, poster time.Duration) error {
	for y := range d.rows {
		d.backs.change(d.rows[y].backs, nil, length)
		d.fronts.change(d.rows[y].fronts, nil, length)
	}
	d.backs.flush(0)
	d.fronts.flush(0)
	if d.size() > MaxSize {
		return errSize
	}
	var page bytes.Buffer
	width, height := d.width*cellWidth+2*padding, d.height*cellHeight+2*padding
	fmt.Fprintf(&page, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="%d %d %d %d" role="img" xml:space="preserve"><title>`,
		width, height, -padding, -padding, width, height)
	escape(&page, d.title)
	page.WriteString("</title>\n<style>\n")
	d.style(&page)
	d.keyframes(&page, length, poster)
	fmt.Fprintf(&page, "</style>\n<rect class=\"page\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>\n",
		-padding, -padding, width, height, padding/2)
	for _, part := range [][]byte{page.Bytes(), []byte("<g>"), d.backs.Bytes(), []byte("</g>\n<g>"), d.fronts.Bytes(), []byte("</g>\n</svg>\n")} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// size is how large the picture is so far, without its style.
func (d *drawing) size() int {
	return d.backs.Len() + d.fronts.Len() + 100*(len(d.backs.spans)+len(d.fronts.spans))
}

// style writes what the picture looks like.
func (d *drawing) style(b *bytes.Buffer) {
	fmt.Fprintf(b, "svg{font:13.333px %s}text{white-space:pre;direction:ltr;unicode-bidi:bidi-override}\n", fonts)
	b.WriteString(".s1{fill-opacity:.25}.s2{fill-opacity:.5}.s3{fill-opacity:.75}\n")
	roles(b, &d.sheet)
	if d.asks {
		b.WriteString("@media(prefers-color-scheme:light){")
		roles(b, &d.light)
		b.WriteString("}\n")
	}
}

// roles writes what the roles look like on a sheet, all of it: so a sheet can
// follow another one.
func roles(b *bytes.Buffer, s *theme.Sheet) {
	fmt.Fprintf(b, "svg{fill:%s}.page{fill:%s}", s.Ink, s.Ground)
	for i, look := range s.Roles {
		role, weight := theme.Role(i), "normal"
		if look.Bold {
			weight = "bold"
		}
		if role != theme.Text {
			fmt.Fprintf(b, ".%s{fill:%s;font-weight:%s}", textClass(role), cmp.Or(look.Fore, s.Ink), weight)
		}
		fmt.Fprintf(b, ".%s{fill:%s}", groundClass(role), cmp.Or(look.Back, "none"))
	}
	b.WriteByte('\n')
}

// keyframes writes when the groups are visible.
func (d *drawing) keyframes(b *bytes.Buffer, length, poster time.Duration) {
	spans := slices.Concat(d.backs.spans, d.fronts.spans)
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	spans = slices.Compact(spans)
	if len(spans) == 0 {
		return
	}
	fmt.Fprintf(b, "g g{visibility:hidden;animation:%ss step-end infinite}\n", decimal(length.Seconds(), 3))
	var seen []string
	for _, s := range spans {
		name := s.name()
		fmt.Fprintf(b, ".%s{animation-name:%s}@keyframes %s{", name, name, name)
		shown := s.from <= poster && (s.to == 0 || s.to > poster)
		if shown {
			seen = append(seen, "."+name)
		}
		if shown && s.from > 0 {
			b.WriteString("0%{visibility:hidden}")
		}
		fmt.Fprintf(b, "%s{visibility:visible}", percent(s.from, length))
		if s.to > 0 {
			fmt.Fprintf(b, "%s{visibility:hidden}", percent(s.to, length))
		}
		b.WriteString("}\n")
	}
	fmt.Fprintf(b, "%s{visibility:visible}\n@media(prefers-reduced-motion:reduce){g g{animation:none}}\n", strings.Join(seen, ","))
}

// percent is a time as a part of the animation, to a millisecond.
func percent(at, length time.Duration) string {
	digits := 1
	for part := length / 1000; part > time.Millisecond; part /= 10 {
		digits++
	}
	return decimal(100*at.Seconds()/length.Seconds(), digits) + "%"
}

// decimal is a number with so many decimals at most.
func decimal(v float64, digits int) string {
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', digits, 64), "0"), ".")
}
