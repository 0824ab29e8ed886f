package page_test

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser starts a chromium, which ends with the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("there is no chromium here")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("hide-scrollbars", false)) // which take room, as on most desktops
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // which root has none of
	}
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// tab is a page in a browser.
type tab struct {
	*testing.T
	ctx context.Context
	// address is that of the page, other a request for anything else.
	address string
	other   atomic.Pointer[string]
}

// open opens a page in a tab of its own, at what follows its address, as "#t=46".
func open(t *testing.T, browser context.Context, page []byte, at string) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser)
	t.Cleanup(stop)
	b := &tab{T: t, ctx: ctx}
	chromedp.ListenTarget(ctx, func(event any) {
		if e, ok := event.(*network.EventRequestWillBeSent); ok && !strings.HasPrefix(e.Request.URL, "file:") {
			b.other.Store(&e.Request.URL)
		}
	})
	b.do(network.Enable(), chromedp.EmulateViewport(1280, 900))
	b.visit(page, at)
	return b
}

// visit goes to another page.
func (b *tab) visit(page []byte, at string) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "page.html")
	if err := os.WriteFile(path, page, 0o600); err != nil {
		b.Fatal(err)
	}
	b.address = (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
	b.do(chromedp.Navigate(b.address + at))
}

// do does what a person does.
func (b *tab) do(actions ...chromedp.Action) {
	b.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

// press presses a key. The character that chromedp would send too comes from no
// keyboard once a page has taken the key, and a space of it scrolls.
func (b *tab) press(key string, modifiers ...input.Modifier) {
	b.Helper()
	for _, r := range key {
		for _, event := range kb.Encode(r) {
			for _, m := range modifiers {
				event.Modifiers |= m
			}
			if event.Type != input.KeyChar {
				b.do(event)
			}
		}
	}
}

// ask asks the page for what an expression of JavaScript gives.
func ask[T any](b *tab, expression string) (answer T) {
	b.Helper()
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	b.do(chromedp.Evaluate(expression, &answer, await))
	return answer
}

// await waits until an expression is true.
func (b *tab) await(expression string) {
	b.Helper()
	for !ask[bool](b, expression) {
		time.Sleep(10 * time.Millisecond) // the browser's context bounds how often
	}
}

// Expressions: the time that is shown in milliseconds, and whether it plays.
const (
	nowShown = `Number(document.querySelector("#player input").value)`
	plays    = `document.querySelector("#player button").getAttribute("aria-label") === "pause"`
)

// now is the time that is shown.
func (b *tab) now() int64 {
	b.Helper()
	return int64(ask[float64](b, nowShown))
}

// text is the screen.
func (b *tab) text() string {
	b.Helper()
	return ask[string](b, `[...document.querySelectorAll("#player .row")].map(r => r.textContent).join("\n")`)
}

// show checks that the screen is that of the recording at a time.
func (b *tab) shows(of told, at int64) {
	b.Helper()
	if now := b.now(); now != at {
		b.Errorf("it is at %d ms, want %d", now, at)
	}
	if got, want := b.text(), of.at(at).text; got != want {
		b.Errorf("at %d ms it shows\n%s\nwant\n%s", at, got, want)
	}
}

// at is the frame at a time in milliseconds.
func (of told) at(ms int64) shot {
	last := of.frames[0]
	for _, f := range of.frames {
		if f.at <= ms {
			last = f
		}
	}
	return last
}

// chapters are the frames from which another level holds.
func (of told) chapters() (list []shot) {
	for i, f := range of.frames {
		if i == 0 || f.level != of.frames[i-1].level {
			list = append(list, f)
		}
	}
	return list
}

// quote makes a literal of JavaScript.
func quote(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
