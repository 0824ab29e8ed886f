package screen

// Rect is a part of the grid; X and Y are its top left cell. A Rect without
// width or height is empty.
type Rect struct{ X, Y, W, H int }

// Empty tells whether there is no cell in r.
func (r Rect) Empty() bool { return r.W <= 0 || r.H <= 0 }

// Inset is r less dx columns on its left and on its right, and dy rows above
// and below.
func (r Rect) Inset(dx, dy int) Rect {
	return Rect{r.X + dx, r.Y + dy, max(r.W-2*dx, 0), max(r.H-2*dy, 0)}
}

// SplitTop cuts h rows off the top.
func (r Rect) SplitTop(h int) (top, rest Rect) {
	h = max(0, min(h, r.H))
	return Rect{r.X, r.Y, r.W, h}, Rect{r.X, r.Y + h, r.W, r.H - h}
}

// SplitBottom cuts h rows off the bottom.
func (r Rect) SplitBottom(h int) (rest, bottom Rect) {
	return r.SplitTop(r.H - max(0, min(h, r.H)))
}

// SplitLeft cuts w columns off the left.
func (r Rect) SplitLeft(w int) (left, rest Rect) {
	w = max(0, min(w, r.W))
	return Rect{r.X, r.Y, w, r.H}, Rect{r.X + w, r.Y, r.W - w, r.H}
}

// SplitRight cuts w columns off the right.
func (r Rect) SplitRight(w int) (rest, right Rect) {
	return r.SplitLeft(r.W - max(0, min(w, r.W)))
}

// Center is a w by h part in the middle of r, or less where r is smaller.
func (r Rect) Center(w, h int) Rect {
	w, h = max(0, min(w, r.W)), max(0, min(h, r.H))
	return Rect{r.X + (r.W-w)/2, r.Y + (r.H-h)/2, w, h}
}
