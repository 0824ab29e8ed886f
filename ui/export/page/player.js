
"use strict";
(() => {
  const film = JSON.parse(document.getElementById("film").textContent);
  const frames = film.frames;
  const length = Math.max(film.length, frames[frames.length - 1].t);
  const glyphs = {ok: "·", warning: "!", critical: "‼", exhausted: "✖"};

  // make makes an element, with what is in it.
  const make = (name, props, ...inside) => {
    const e = document.createElement(name);
    for (const [k, v] of Object.entries(props)) {
      if (k in e) e[k] = v;
      else e.setAttribute(k, v);
    }
    e.append(...inside);
    return e;
  };
  const clock = ms => {
    const s = Math.floor(ms / 1000), two = n => String(n).padStart(2, "0");
    const m = Math.floor(s / 60);
    return m < 60 ? m + ":" + two(s % 60) : Math.floor(m / 60) + ":" + two(m % 60) + ":" + two(s % 60);
  };
  // last is the index of the last of a list that is not after a time.
  const last = (list, ms) => {
    let low = 0, high = list.length;
    while (high - low > 1) {
      const mid = low + high >> 1;
      if (list[mid].t <= ms) low = mid;
      else high = mid;
    }
    return low;
  };

  // The screen: a row has a text and a style for each column; the text is ""
  // for the right half of a wide character.
  const screen = make("div", {className: "screen", tabIndex: 0, role: "region"});
  const rows = [];
  for (let y = 0; y < film.rows; y++) {
    rows.push({text: [], style: [], drawn: "", stale: true, element: make("div", {className: "row"})});
  }
  screen.append(...rows.map(r => r.element));

  const blank = () => {
    for (const r of rows) {
      r.text = Array(film.columns).fill(" ");
      r.style = Array(film.columns).fill(0);
      r.stale = true;
    }
  };
  const apply = frame => {
    if (frame.key) blank();
    for (const run of frame.runs) {
      const r = rows[run[0]];
      let x = run[1];
      const put = (style, text, width) => {
        r.text[x] = text;
        r.style[x++] = style;
        if (width === 2) {
          r.text[x] = "";
          r.style[x++] = style;
        }
      };
      for (let i = 2; i < run.length; i += 2) {
        if (typeof run[i + 1] !== "string") put(run[i], ...run[i + 1]);
        else for (const char of run[i + 1]) put(run[i], char, 1);
      }
      r.stale = true;
    }
  };
  // draw makes elements of a row. What a font may draw in another width than
  // that of its columns stands in a box of its own, so that it moves nothing.
  const draw = r => {
    r.stale = false;
    const now = JSON.stringify([r.text, r.style]);
    if (now === r.drawn) return; // and what is selected in it stays so
    r.drawn = now;
    const parts = [];
    for (let x = 0; x < film.columns;) {
      const from = x, style = r.style[x], boxed = c => c === "" || c > "~";
      const box = boxed(r.text[x]);
      while (x < film.columns && r.style[x] === style && boxed(r.text[x]) === box) x++;
      const text = r.text.slice(from, x).join("");
      if (!box && style === 0) {
        parts.push(text);
        continue;
      }
      const e = make(box ? "i" : "span", {}, text);
      if (style > 0) e.className = "s" + style;
      if (box) e.style.width = x - from + "ch";
      parts.push(e);
    }
    r.element.replaceChildren(...parts);
  };

  const chapters = frames.filter(f => f.level);
  let now = 0, shown = -1, playing = false, speed = film.speed, ticked = 0;

  const play = make("button", {type: "button"});
  const before = make("button", {type: "button", "aria-label": "level before", title: "level before: [", textContent: "|◀"});
  const after = make("button", {type: "button", "aria-label": "level after", title: "level after: ]", textContent: "▶|"});
  const time = make("output", {"aria-live": "off"});
  const speeds = [...new Set([0.25, 0.5, 1, 2, 4, 8, 16, speed])].sort((a, b) => a - b);
  const rate = make("select", {"aria-label": "speed", title: "speed: < and >"},
    ...speeds.map(s => make("option", {value: s, textContent: s + "×"})));
  const look = make("button", {type: "button"});
  const bar = make("input", {type: "range", min: 0, max: length, step: "any", "aria-label": "time"});
  const said = make("p", {role: "status", className: "unseen"});
  const list = make("ol", {className: "chapters", "aria-label": "where the level changed"});
  const word = c => make("b", {className: c.level}, glyphs[c.level] + " " + c.level);
  const links = chapters.map(c => {
    const a = make("a", {href: "#t=" + c.t / 1000}, clock(c.t) + " ", word(c), " " + c.says);
    a.title = c.clock;
    a.addEventListener("click", e => {
      if (e.ctrlKey || e.metaKey || e.shiftKey) return;
      e.preventDefault();
      seek(c.t);
    });
    list.append(make("li", {}, a));
    return a;
  });
  const strip = make("div", {className: "bar"});
  chapters.forEach((c, i) => {
    const end = i + 1 < chapters.length ? chapters[i + 1].t : length;
    const part = make("span", {className: c.level, "aria-hidden": "true"});
    part.style.left = 100 * c.t / (length || 1) + "%";
    part.style.width = 100 * (end - c.t) / (length || 1) + "%";
    strip.append(part);
  });
  strip.append(bar);

  let chapter = -1;
  const show = ms => {
    now = Math.min(Math.max(ms, 0), length);
    const i = last(frames, now);
    if (i !== shown) {
      let from = i;
      while (!frames[from].key && from !== shown + 1) from--;
      while (from <= i) apply(frames[from++]);
      shown = i;
      rows.filter(r => r.stale).forEach(draw);
    }
    bar.value = now;
    const of = clock(now) + " of " + clock(length);
    bar.setAttribute("aria-valuetext", of);
    screen.setAttribute("aria-label", "the screen at " + clock(now));
    time.textContent = clock(now) + " / " + clock(length);
    const c = last(chapters, now);
    if (c !== chapter) {
      if (chapter >= 0) links[chapter].removeAttribute("aria-current");
      links[c].setAttribute("aria-current", "true");
      said.replaceChildren(word(chapters[c]), " " + chapters[c].says);
      list.scrollTop = links[c].offsetTop - list.offsetTop - list.clientHeight / 2;
      chapter = c;
    }
  };
  const label = () => {
    play.textContent = playing ? "❚❚" : "▶";
    play.setAttribute("aria-label", playing ? "pause" : "play");
    play.title = (playing ? "pause" : "play") + ": space";
  };
  // mark has the address name the moment, so that it can be passed on.
  const mark = () => {
    try {
      history.replaceState(null, "", "#t=" + Math.round(now) / 1000);
    } catch (e) { /* some do not let a page in a frame, or one too often */ }
  };
  const tick = then => {
    if (!playing) return;
    const passed = Math.min(Math.max(then - ticked, 0), 1000);
    ticked = then;
    show(now + passed * speed);
    if (now >= length) pause();
    else requestAnimationFrame(tick);
  };
  const pause = () => {
    playing = false;
    label();
    mark();
  };
  const start = () => {
    if (now >= length) show(0);
    playing = true;
    label();
    ticked = performance.now();
    requestAnimationFrame(tick);
  };
  const toggle = () => playing ? pause() : start();
  const seek = ms => {
    show(ms);
    if (!playing) mark();
  };
  const toChapter = by => {
    // While it plays, one second is left to go back further.
    const at = now - (by < 0 && playing ? 1000 * speed : 0);
    const list = chapters.filter(c => by < 0 ? c.t < at : c.t > at);
    if (list.length > 0) seek(list[by < 0 ? list.length - 1 : 0].t);
    else seek(by < 0 ? 0 : length);
  };
  const hurry = by => {
    const i = speeds.indexOf(speed) + by;
    if (i < 0 || i >= speeds.length) return;
    speed = speeds[i];
    rate.value = speed;
  };
  // fromAddress goes to the time that the address names: #t=46, #t=46s, #t=1:02.
  const fromAddress = () => {
    const m = /^#t=((?:\d+:){0,2}\d+(?:\.\d+)?)s?$/.exec(location.hash);
    if (m) show(1000 * m[1].split(":").reduce((sum, n) => 60 * sum + Number(n), 0));
  };

  const dark = matchMedia("(prefers-color-scheme: light)");
  const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? "light" : "dark")) === "dark";
  const relook = () => {
    look.textContent = isDark() ? "light" : "dark";
    look.setAttribute("aria-label", "colours: " + look.textContent);
  };
  look.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    relook();
  });
  dark.addEventListener("change", relook);

  play.addEventListener("click", toggle);
  before.addEventListener("click", () => toChapter(-1));
  after.addEventListener("click", () => toChapter(1));
  bar.addEventListener("input", () => seek(Number(bar.value)));
  rate.addEventListener("change", () => { speed = Number(rate.value); });
  addEventListener("hashchange", fromAddress);
  // What is being selected must not change: where fingers do it, there is no press
  // of a mouse before.
  screen.addEventListener("mousedown", () => playing && pause());
  document.addEventListener("selectionchange", () => {
    const s = getSelection();
    if (playing && s.rangeCount > 0 && !s.isCollapsed && screen.contains(s.anchorNode)) pause();
  });

  // The keys are those of the dashboard's replay.
  const keys = {
    " ": toggle,
    "ArrowLeft": e => seek(now - (e.shiftKey ? 10000 : 1000)),
    "ArrowRight": e => seek(now + (e.shiftKey ? 10000 : 1000)),
    "Home": () => seek(0),
    "End": () => seek(length),
    "[": () => toChapter(-1),
    "PageUp": () => toChapter(-1),
    "]": () => toChapter(1),
    "PageDown": () => toChapter(1),
    "<": () => hurry(-1),
    ">": () => hurry(1),
  };
  const player = document.getElementById("player");
  document.addEventListener("keydown", e => {
    const on = e.target instanceof Element ? e.target : document.body;
    const presses = e.key === " " && on.matches("button, a");
    const below = player.getBoundingClientRect().bottom < 0 || on.closest("#findings");
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || on.matches("select") || presses || below) return;
    if (!Object.hasOwn(keys, e.key)) return;
    e.preventDefault();
    keys[e.key](e);
  });

  const help = make("p", {className: "keys"});
  [["space", "plays"], ["← →", "1 s"], ["shift", "10 s"], ["[ ]", "level before, after"], ["< >", "speed"], ["home end", "the ends"]]
    .forEach(([key, does]) => help.append(make("span", {}, make("kbd", {}, key), " " + does), " "));
  const found = document.getElementById("findings");
  if (chapters.some(c => c.level !== "ok")) {
    const link = found.querySelector("h2 a").cloneNode(true);
    player.append(make("p", {className: "worst"}, "The worst moment: ", link, " ", ...found.querySelector(".verdict").cloneNode(true).childNodes));
  }
  player.append(said, screen, strip,
    make("div", {className: "controls"}, play, before, after, time, make("span", {className: "space"}), rate, look), help, list);
  rate.value = speed;
  label();
  relook();
  show(0);
  player.hidden = false; // what is not laid out does not scroll
  fromAddress();
})();
