package page_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"ephtop/ui/export"
	"ephtop/ui/export/internal/filmtest"
	"ephtop/ui/export/page"
)

// testRequests has names that ask for a server on loopback, and then asks for it
// by script: the policy lets nothing through.
func testRequests(t *testing.T, ctx context.Context) {
	var calls atomic.Int32
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer canary.Close()
	at := canary.URL + "/"
	b := open(t, ctx, nil, "")
	for _, name := range []string{
		`<img src="` + at + `">`, `</script><script src=` + at + `></script>`, `"><link rel=stylesheet href=` + at + `>`,
		`<meta http-equiv=refresh content=0;url=` + at + `>`, `</style><style>@import "` + at + `";`, at, "javascript:fetch('" + at + "')",
	} {
		b.visit(named(t, name), "")
		b.press(" ")
		b.await(nowShown + ` > 0`)
		if other := b.other.Swap(nil); other != nil {
			t.Errorf("a process called %q has the page ask for %s", name, *other)
		}
	}
	b.visit(story(t).page, "")
	ask[bool](b, `(at => Promise.allSettled([
		fetch(at, {mode: "no-cors"}),
		new Promise((ok, no) => { const i = new Image(); i.onload = i.onerror = ok; i.src = at; }),
		new Promise((ok, no) => { const s = document.createElement("script"); s.onload = s.onerror = ok; s.src = at; document.head.append(s); }),
		new Promise((ok, no) => { const l = document.createElement("link"); l.rel = "stylesheet"; l.onload = l.onerror = ok; l.href = at; document.head.append(l); }),
		navigator.sendBeacon(at),
	]).then(() => true))(`+quote(at)+`)`)
	if n := calls.Load(); n > 0 {
		t.Errorf("the server was called %d times", n)
	}
	b.do(chromedp.Navigate(at))
	if calls.Load() == 0 {
		t.Error("the server cannot be called at all, so this has shown nothing")
	}
}

// testNames shows hostile names as they are shown in the replay.
func testNames(t *testing.T, ctx context.Context) {
	b := open(t, ctx, nil, "")
	for _, name := range hostile {
		of := tell(filmtest.Named(name, 12), export.Options{})
		b.visit(of.page, "#t=5")
		b.shows(of, 5000)
		if extra := ask[[]string](b, `[...document.querySelectorAll("img, iframe, object, embed, link, form, base, svg, math, script[src], [onerror], [onload]")].map(e => e.outerHTML)`); len(extra) > 0 {
			t.Errorf("%q makes %q", name, extra)
		}
		if title := ask[string](b, `document.querySelector("h1").textContent`); title != ask[string](b, `document.title`) || strings.ContainsAny(title, "\x1b\x00\n") {
			t.Errorf("%q makes the heading %q", name, title)
		}
	}
	// A title of the caller's is no other than the name of a host.
	var titled bytes.Buffer
	if err := page.Write(&titled, filmtest.Open(t, filmtest.Named("web", 2), export.Options{}), page.Options{Title: hostile[1]}); err != nil {
		t.Fatal(err)
	}
	b.visit(titled.Bytes(), "")
	if got := ask[string](b, `document.title`); got != hostile[1] {
		t.Errorf("the title is %q", got)
	}
}
