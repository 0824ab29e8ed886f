package page_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A page is tried in a real browser: one for all, since to start it takes longest.
func TestPlayer(t *testing.T) {
	t.Parallel()
	story(t)
	ctx := browser(t)
	for _, test := range []struct {
		name string
		test func(*testing.T, context.Context)
	}{
		{"it plays and stops", testPlays},
		{"each moment is the replay's", testMoments},
		{"keys seek", testKeys},
		{"the address names a moment", testAddress},
		{"chapters are where the level changed", testChapters},
		{"keys have other work elsewhere", testOtherKeys},
		{"text can be selected", testSelection},
		{"no request leaves", testRequests},
		{"names are text", testNames},
		{"it fits a phone and a wide screen", testWidths},
		{"it is dark and light", testColours},
		{"it needs no script", testNoScript},
	} {
		t.Run(test.name, func(t *testing.T) { test.test(t, ctx) })
	}
}

func testPlays(t *testing.T, ctx context.Context) {
	b := open(t, ctx, story(t).page, "")
	b.shows(story(t), 0)
	b.press(" ")
	b.await(plays + ` && ` + nowShown + ` > 2000`)
	b.press(" ")
	if ask[bool](b, plays) {
		t.Fatal("space did not stop it")
	}
	at := b.now()
	ask[bool](b, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
	b.shows(story(t), at)

	b.press(kb.End)
	b.press(kb.ArrowLeft)
	b.do(chromedp.Click(`#player [aria-label="play"]`))
	b.await(`!(` + plays + `)`)
	end := story(t).frames[len(story(t).frames)-1]
	if now := b.now(); now < end.at {
		t.Errorf("it stopped at %d ms, before the last frame at %d", now, end.at)
	}
	b.press(" ")
	b.await(plays + ` && ` + nowShown + ` < 100000`) // from the start again
}

// Frames are looked at in any order, as who seeks does.
func testMoments(t *testing.T, ctx context.Context) {
	b := open(t, ctx, story(t).page, "")
	of := story(t)
	order := rand.New(rand.NewPCG(1, 2)).Perm(len(of.frames))
	var times []int64
	for _, i := range order {
		times = append(times, of.frames[i].at)
	}
	got := ask[[]string](b, `(() => {
		const bar = document.querySelector("#player input");
		const row = r => {
			let line = "", last = -1;
			for (const n of r.childNodes) {
				const style = Number((n.className || "s0").slice(1));
				line += (style === last ? "" : "<" + style + ">") + n.textContent;
				last = style;
			}
			return line + "\n";
		};
		return `+quote(times)+`.map(t => {
			bar.value = t;
			bar.dispatchEvent(new Event("input"));
			return [...document.querySelectorAll("#player .row")].map(row).join("");
		});
	})()`)
	for n, i := range order {
		if want := of.frames[i]; got[n] != want.styled {
			t.Fatalf("at %d ms it shows\n%s\nwant\n%s", want.at, got[n], want.styled)
		}
	}
}

func testKeys(t *testing.T, ctx context.Context) {
	b := open(t, ctx, story(t).page, "#t=60")
	b.shows(story(t), 60_000)
	end := int64(ask[float64](b, `Number(document.querySelector("#player input").max)`))
	for _, test := range []struct {
		key      string
		modifier []input.Modifier
		at       int64
	}{
		{kb.ArrowRight, nil, 61_000}, {kb.ArrowLeft, nil, 60_000},
		{kb.ArrowRight, []input.Modifier{input.ModifierShift}, 70_000}, {kb.ArrowLeft, []input.Modifier{input.ModifierShift}, 60_000},
		{kb.End, nil, end}, {kb.ArrowRight, nil, end}, {kb.Home, nil, 0}, {kb.ArrowLeft, nil, 0},
	} {
		b.press(test.key, test.modifier...)
		b.shows(story(t), test.at)
	}
	for _, test := range []struct{ key, speed string }{{">", "16"}, {">", "16"}, {"<", "8"}, {"<", "4"}} {
		b.press(test.key)
		if got := ask[string](b, `document.querySelector("#player select").value`); got != test.speed {
			t.Errorf("after %s the speed is %s, want %s", test.key, got, test.speed)
		}
	}
	// By mouse: in the middle of the bar.
	b.do(chromedp.Click(`#player input`))
	if now := b.now(); now < end/2-end/50 || now > end/2+end/50 {
		t.Errorf("a click in the middle of the bar goes to %d ms of %d", now, end)
	}
	b.shows(story(t), b.now())
}

func testAddress(t *testing.T, ctx context.Context) {
	b := open(t, ctx, story(t).page, "")
	for address, at := range map[string]int64{
		"#t=46": 46_000, "#t=46s": 46_000, "#t=1:02": 62_000, "#t=0:01:02.5": 62_500, "#t=0": 0, "#t=-1": 0, "#t=<b>": 0, "#t=1e9": 0, "#top": 0,
	} {
		b.visit(story(t).page, address)
		b.shows(story(t), at)
	}
	b.visit(story(t).page, "#t=46")
	if said := b.text(); !strings.Contains(said, "! warning") {
		t.Errorf("the ports are not known to run out at 46 s:\n%s", said)
	}
	ask[bool](b, `(location.hash = "#t=59", true)`)
	b.await(nowShown + ` === 59000`)
	b.shows(story(t), 59_000)
	b.press(kb.ArrowRight)
	if got := ask[string](b, `location.hash`); got != "#t=60" {
		t.Errorf("at 60 s the address ends with %s", got)
	}
	// Where it was worst stands below.
	b.do(chromedp.Click(`#findings h2 a`))
	b.await(nowShown + ` > 64000`)
	if said := b.text(); !strings.Contains(said, "✖ exhausted") {
		t.Errorf("the worst moment is\n%s", said)
	}
}

func testChapters(t *testing.T, ctx context.Context) {
	b := open(t, ctx, story(t).page, "")
	chapters := story(t).chapters()
	if len(chapters) < 5 {
		t.Fatalf("the story has only %d chapters", len(chapters))
	}
	current := func() string { return ask[string](b, `document.querySelector(".chapters [aria-current]").textContent`) }
	for _, next := range []string{"]", kb.PageDown} {
		b.press(kb.Home)
		for _, c := range chapters[1:] {
			b.press(next)
			b.shows(story(t), c.at)
			if got := current(); !strings.Contains(got, " "+c.level.String()+" ") {
				t.Errorf("at %d ms the chapter is %q, want %s", c.at, got, c.level)
			}
		}
	}
	for _, before := range []string{"[", kb.PageUp} {
		b.press(kb.End)
		for i := range chapters {
			b.press(before)
			b.shows(story(t), chapters[len(chapters)-1-i].at)
		}
	}
	if n := ask[int](b, `document.querySelectorAll(".chapters a").length`); n != len(chapters) {
		t.Errorf("%d chapters are listed, want %d", n, len(chapters))
	}
	for i, c := range chapters {
		ask[bool](b, `(document.querySelectorAll(".chapters a")[`+quote(i)+`].click(), true)`)
		b.shows(story(t), c.at)
	}
}

// Space on a button presses it, arrows change a choice, and what is below the
// player is scrolled by the keys that it is scrolled by anywhere.
func testOtherKeys(t *testing.T, ctx context.Context) {
	b := open(t, ctx, story(t).page, "#t=60")
	b.do(chromedp.Focus(`#player [aria-label="level after"]`))
	b.press(" ")
	b.shows(story(t), 64_000)
	if ask[bool](b, plays) {
		t.Error("space on another button has it play")
	}
	b.do(chromedp.Focus(`#player select`))
	b.press(kb.ArrowLeft)
	b.shows(story(t), 64_000)
	b.press(kb.ArrowRight, input.ModifierAlt)
	b.shows(story(t), 64_000)
	ask[bool](b, `(document.activeElement.blur(), scrollTo(0, 1e6), true)`)
	b.await(`document.querySelector("#player").getBoundingClientRect().bottom < 0`)
	b.press(kb.Home)
	b.await(`scrollY === 0`)
	b.shows(story(t), 64_000)
}

// What is selected by mouse is the text, and stays while nothing plays.
func testSelection(t *testing.T, ctx context.Context) {
	b := open(t, ctx, story(t).page, "#t=60")
	b.press(" ")
	b.await(plays)
	box := ask[[]float64](b, `(() => {
		const of = y => document.querySelectorAll("#player .row")[y].getBoundingClientRect();
		return [of(17).left + 2, of(17).top + 5, of(19).right - 2, of(19).top + 5];
	})()`)
	mouse := func(kind input.MouseType, x, y float64) chromedp.Action {
		return input.DispatchMouseEvent(kind, x, y).WithButton(input.Left).WithButtons(1).WithClickCount(1)
	}
	b.do(mouse(input.MousePressed, box[0], box[1]))
	if ask[bool](b, plays) {
		t.Error("it goes on while text is being selected")
	}
	b.do(mouse(input.MouseMoved, box[2], box[3]), mouse(input.MouseReleased, box[2], box[3]))
	want := strings.Join(strings.Split(story(t).at(b.now()).text, "\n")[17:20], "\n")
	if got := ask[string](b, `getSelection().toString()`); got != want {
		t.Errorf("selected is\n%s\nwant\n%s", got, want)
	}
	if got := ask[string](b, `(getSelection().selectAllChildren(document.querySelector("#findings")), getSelection().toString())`); !strings.Contains(got, "EADDRNOTAVAIL") {
		t.Errorf("of the findings, this is selected:\n%s", got)
	}
}

func testWidths(t *testing.T, ctx context.Context) {
	b := open(t, ctx, story(t).page, "#t=70")
	for _, width := range []int64{320, 360, 800, 1600} {
		b.do(chromedp.EmulateViewport(width, 800))
		for range 2 {
			checkWidth(b, width)
			b.do(chromedp.Click(`#player [aria-label^="colours"]`)) // dark, then light
		}
	}
}

// checkWidth checks that a page beside a scroll bar has all in sight.
func checkWidth(b *tab, width int64) {
	b.Helper()
	room := ask[int64](b, `document.documentElement.clientWidth`)
	if room >= width {
		b.Fatalf("no scroll bar takes room at a width of %d", width)
	}
	if wide := ask[int64](b, `document.documentElement.scrollWidth`); wide > room {
		b.Errorf("at a width of %d the page is %d wide", width, wide)
	}
	// The screen scrolls in itself where letters would be too small to read.
	size := ask[float64](b, `parseFloat(getComputedStyle(document.querySelector("#player .screen")).fontSize)`)
	if size < 9 {
		b.Errorf("at a width of %d letters are of %v px", width, size)
	}
	if over := ask[int](b, `(s => s.scrollWidth - s.clientWidth)(document.querySelector("#player .screen"))`); over > 0 && size > 9 {
		b.Errorf("at a width of %d the screen scrolls by %d px, with letters of %v px", width, over, size)
	}
	out := ask[[]string](b, `[...document.querySelectorAll("#player .controls > *, .chapters, #findings, #findings pre, .screen")]
		.filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth).map(e => e.outerHTML.slice(0, 80))`)
	if len(out) > 0 {
		b.Errorf("at a width of %d these are out of sight: %q", width, out)
	}
	// Each row is as wide as its columns, whatever the font has.
	if uneven := ask[float64](b, `(() => {
		const right = r => { const range = document.createRange(); range.selectNodeContents(r); return range.getBoundingClientRect().right; };
		const all = [...document.querySelectorAll("#player .row")].map(right);
		return Math.max(...all) - Math.min(...all);
	})()`); uneven > size/2 {
		b.Errorf("at a width of %d the rows differ by %.1f px", width, uneven)
	}
}

func testColours(t *testing.T, ctx context.Context) {
	const dark, light = "rgb(16, 20, 24)", "rgb(255, 255, 255)"
	const ground = `getComputedStyle(document.documentElement).backgroundColor`
	b := open(t, ctx, story(t).page, "")
	for prefers, grounds := range map[string][2]string{"dark": {dark, light}, "light": {light, dark}} {
		b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: prefers}}))
		b.visit(story(t).page, "#t=70")
		exhausted := `getComputedStyle(document.querySelector("#findings strong.exhausted")).backgroundColor`
		before := ask[string](b, exhausted)
		if got := ask[string](b, ground); got != grounds[0] {
			t.Errorf("who prefers %s gets a ground of %s", prefers, got)
		}
		b.do(chromedp.Click(`#player [aria-label^="colours"]`))
		if got := ask[string](b, ground); got != grounds[1] {
			t.Errorf("who prefers %s and switches gets a ground of %s", prefers, got)
		}
		if after := ask[string](b, exhausted); after == before || after == "rgba(0, 0, 0, 0)" {
			t.Errorf("exhausted is on %s, then on %s", before, after)
		}
		b.do(chromedp.Click(`#player [aria-label^="colours"]`))
		if got := ask[string](b, ground); got != grounds[0] {
			t.Errorf("who prefers %s and switches twice gets a ground of %s", prefers, got)
		}
	}
}

func testNoScript(t *testing.T, ctx context.Context) {
	b := open(t, ctx, nil, "")
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.visit(story(t).page, "")
	said := ask[string](b, `document.body.innerText`)
	for _, want := range []string{"this is the worst moment", "Ephemeral ports", "✖ exhausted", "EADDRNOTAVAIL", "pool the database connections"} {
		if !strings.Contains(said, want) {
			t.Errorf("without scripts it does not say %q:\n%s", want, said)
		}
	}
	if ask[bool](b, `document.querySelector("#player").checkVisibility()`) {
		t.Error("without scripts there is a player")
	}
}
