"use strict";
// The node's page. It knows the node by its HTTP API alone (openapi.yaml), keeps the token for this tab only, and
// builds all text as text: nothing that a camera or an event says becomes markup.

const $ = (id) => document.getElementById(id);
const TOKEN = "sightline-token";
const state = { cameras: [], status: null, view: null, leave: [], fresh: 0, overlay: true, filter: "", reached: true };

// --- building the page ------------------------------------------------------------------------------------------
function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && key !== "list") node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

function toast(text, bad = false) {
  const node = make("div", { class: bad ? "toast bad" : "toast" }, text);
  $("toasts").append(node);
  setTimeout(() => node.remove(), bad ? 9000 : 4500);
}

const number = (value, digits = 0) => value === null || value === undefined ? "–"
  : value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });
const clock = (text) => text ? new Date(text).toLocaleTimeString([], { hour12: false }) : "–";
const moment = (text) => text ? new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "medium", hour12: false }) : "–";
function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${(seconds / 3600).toFixed(1)} h`;
  return `${Math.round(seconds / 86400)} days`;
}
const ago = (text) => text ? `${duration(Math.max(0, (Date.now() - new Date(text)) / 1000))} ago` : "none yet";
const words = (kind) => kind ? kind[0].toUpperCase() + kind.slice(1).replaceAll("_", " ") : "";

// --- the API ------------------------------------------------------------------------------------------------------
class Failure extends Error {
  constructor(status, problem) {
    super(problem.errors ? problem.errors.join("\n") : problem.detail || problem.title || `the node answered ${status}`);
    this.status = status;
  }
}

let asking = null;
async function call(path, options = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    reached(false);
    throw new Failure(0, { detail: "The node cannot be reached." });
  }
  reached(true);
  if (response.status === 401) {
    if (token === sessionStorage.getItem(TOKEN)) await askForToken(token !== null);
    return call(path, options);
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Failure(response.status, problem);
  }
  return response;
}
const get = async (path) => (await call(path)).json();
const path = (name) => `/api/v1/cameras/${encodeURIComponent(name)}`;

function reached(yes) {
  if (yes === state.reached) return;
  state.reached = yes;
  $("banner").hidden = yes;
  $("banner").textContent = yes ? "" : "The node cannot be reached. Trying again…";
}

// Many requests may find out at once that a token is needed: one dialog serves them all.
function askForToken(wrong) {
  asking ??= new Promise((resolve) => {
    const field = make("input", { type: "password", autocomplete: "off", required: true, id: "token" });
    const form = make("form", { class: "sheet", onsubmit: (event) => {
      event.preventDefault();
      sessionStorage.setItem(TOKEN, field.value.trim());
      closeDialog();
    } },
    make("h1", { id: "dialog-title" }, "This node wants a token"),
    make("p", { class: "quiet" }, "It stands in the node's configuration under http.token. This tab remembers it until it is closed."),
    wrong ? make("div", { class: "problem", role: "alert" }, "That token is not this node's.") : null,
    make("label", {}, "Token", field),
    make("div", { class: "actions" }, make("button", { class: "main" }, "Go on")));
    openDialog(form);
    $("dialog").oncancel = (event) => event.preventDefault();
    closeHooks.push(() => { asking = null; resolve(); });
    field.focus();
  });
  return asking;
}

// --- dialogs ------------------------------------------------------------------------------------------------------
let closeHooks = [];
function openDialog(content, large = false) {
  finishDialog();
  $("dialog").className = large ? "large" : "";
  $("dialog").replaceChildren(content);
  $("dialog").oncancel = null;
  if (!$("dialog").open) $("dialog").showModal();
}
function finishDialog() {
  for (const hook of closeHooks.splice(0)) hook();
  $("dialog").replaceChildren();
}
function closeDialog() {
  finishDialog();
  if ($("dialog").open) $("dialog").close();
}
// By the Escape key. Another may be open by the time that the browser tells.
$("dialog").addEventListener("close", () => { if (!$("dialog").open) finishDialog(); });
$("dialog").addEventListener("click", (event) => { if (event.target === $("dialog") && !asking) closeDialog(); });

function confirmed(title, text, action, danger = true) {
  return new Promise((resolve) => {
    let answer = false;
    openDialog(make("form", { class: "sheet", onsubmit: (event) => { event.preventDefault(); answer = true; closeDialog(); } },
      make("h1", { id: "dialog-title" }, title), make("p", { class: "quiet" }, text),
      make("div", { class: "actions" },
        make("button", { type: "button", autofocus: true, onclick: closeDialog }, "Cancel"),
        make("button", { class: danger ? "danger" : "main" }, action))));
    closeHooks.push(() => resolve(answer));
  });
}

// --- pictures -------------------------------------------------------------------------------------------------------
// One picture after the other, each asked for when the one before has come, and only while it can be seen: a wall of
// hundreds of cameras costs what fits on the screen.
class LivePicture {
  static seen = 0;
  constructor(frame, name, options) {
    Object.assign(this, { frame, name, interval: 400, width: 480, ready: false, ...options });
    this.image = frame.querySelector("img");
    this.timer = 0;
    this.shown = false;
    this.errors = 0;
    this.abort = null;
  }
  show(yes) {
    if (yes === this.shown) return;
    this.shown = yes;
    LivePicture.seen += yes ? 1 : -1;
    if (yes) this.next();
    else {
      clearTimeout(this.timer);
      this.abort?.abort();
    }
  }
  async next() {
    if (!this.shown) return;
    const begin = performance.now();
    let wait = Math.max(this.interval, 40 * LivePicture.seen);  // at most 25 pictures a second, however many are seen
    if (!document.hidden && this.ready) {
      const abort = this.abort = new AbortController();
      const limit = setTimeout(() => abort.abort(), 10000);
      try {
        const width = this.width ? `&width=${this.width}` : "";
        const response = await call(`${path(this.name)}/picture.jpg?overlay=${state.overlay ? 1 : 0}${width}`, { signal: abort.signal });
        await this.put(await response.blob());
        this.errors = 0;
      } catch {
        wait = Math.min(8000, 1000 * 2 ** this.errors++);
      }
      clearTimeout(limit);
    }
    if (this.shown) this.timer = setTimeout(() => this.next(), Math.max(50, wait - (performance.now() - begin)));
  }
  async put(blob) {
    const url = URL.createObjectURL(blob);
    const old = this.image.src;
    await new Promise((resolve) => {
      this.image.onload = this.image.onerror = resolve;
      this.image.src = url;
    });
    this.image.hidden = false;
    if (old.startsWith("blob:")) URL.revokeObjectURL(old);
  }
  stop() {
    this.show(false);
    if (this.image.src.startsWith("blob:")) URL.revokeObjectURL(this.image.src);
  }
}

const pictureFrame = (alt) => make("div", { class: "view" }, make("span", { class: "why" }, ""), make("img", { alt, hidden: true }));

async function loadImage(frame, url) {
  const image = frame.querySelector("img"), why = frame.querySelector(".why");
  try {
    const response = await call(url);
    image.src = URL.createObjectURL(await response.blob());
    image.hidden = false;
    why.textContent = "";
    return image.src;
  } catch (error) {
    why.textContent = error.status === 404 ? "no picture" : error.message;
    return null;
  }
}

// --- cameras ----------------------------------------------------------------------------------------------------------
function badgeOf(camera) {
  if (camera.paused) return ["Paused", ""];
  switch (camera.state.state) {
    case "live": return camera.state.error ? ["Not analysed", "bad"] : camera.analysis.degraded ? ["Live, slowed", "warn"] : ["Live", "good"];
    case "connecting": return ["Connecting", "warn"];
    case "back-off": return ["No signal", "bad"];
    case "ended": return ["Ended", camera.state.error ? "bad" : ""];
    default: return [words(camera.state.state), ""];
  }
}
function fillBadge(node, camera) {
  const [text, mood] = badgeOf(camera);
  node.className = `badge ${mood}`;
  node.textContent = text;
}
function fillFrame(frame, camera, picture) {
  const live = camera.state.state === "live" && !camera.paused;
  picture.ready = live && (camera.counts.analysed > 0 || camera.state.error !== null);
  frame.classList.toggle("stale", !live);
  const why = camera.paused ? "Paused" : camera.state.error || (live ? "" : badgeOf(camera)[0]);
  frame.querySelector(".why").textContent = why || (frame.querySelector("img").hidden ? "Waiting for a picture…" : "");
}

function showWall(main) {
  const search = make("input", { type: "search", placeholder: "Find a camera", value: state.filter, "aria-label": "Find a camera",
    oninput: () => { state.filter = search.value; sync(); } });
  const which = make("select", { "aria-label": "Which cameras", onchange: () => sync() },
    ...["All", "Live", "With trouble", "Paused"].map((text) => make("option", {}, text)));
  const size = make("select", { "aria-label": "Size of tiles", onchange: () => sized() },
    ...[["Small tiles", 200], ["Medium tiles", 320], ["Large tiles", 520]].map(([text, value]) => make("option", { value }, text)));
  size.value = localStorage.getItem("sightline-tile") || "320";
  const summary = make("span", { class: "quiet", id: "summary" });
  const wall = make("section", { class: "wall", "aria-label": "Cameras" });
  const empty = make("div", { class: "empty", hidden: true });
  main.append(make("div", { class: "head" }, make("h1", {}, "Cameras"), summary, make("span", { class: "space" }), search, which, size,
    overlayButton(), make("button", { class: "main", onclick: () => cameraForm() }, "Add camera")), wall, empty);

  const tiles = new Map();
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) tiles.get(entry.target.dataset.name)?.live.show(entry.isIntersecting);
  }, { rootMargin: "80px" });
  const sized = () => {
    localStorage.setItem("sightline-tile", size.value);
    wall.style.setProperty("--tile", `${size.value}px`);
    const width = Math.min(1280, Math.round(size.value * 1.5));
    for (const tile of tiles.values()) tile.live.width = width;
  };
  const fits = (camera) => {
    const mood = badgeOf(camera)[1];
    const chosen = which.selectedIndex;
    if (chosen === 1 && (camera.paused || camera.state.state !== "live")) return false;
    if (chosen === 2 && mood !== "bad" && mood !== "warn") return false;
    if (chosen === 3 && !camera.paused) return false;
    return camera.name.includes(search.value.trim().toLowerCase());
  };
  const addTile = (camera) => {
    const frame = pictureFrame(`What ${camera.name} sees`);
    const badge = make("span"), rate = make("span"), events = make("span");
    const node = make("a", { class: "tile", href: `#/cameras/${camera.name}` }, frame,
      make("div", { class: "label" }, make("span", { class: "name", title: camera.name }, camera.name), badge),
      make("div", { class: "facts" }, rate, events));
    node.dataset.name = camera.name;
    const live = new LivePicture(frame, camera.name, { width: Math.min(1280, Math.round(size.value * 1.5)) });
    const tile = { node, live, frame, badge, rate, events };
    tiles.set(camera.name, tile);
    return tile;
  };
  const sync = () => {
    const wanted = state.cameras.filter(fits);
    const names = new Set(wanted.map((camera) => camera.name));
    for (const [name, tile] of tiles) {
      if (names.has(name)) continue;
      tile.live.stop();
      seen.unobserve(tile.node);
      tile.node.remove();
      tiles.delete(name);
    }
    let before = null;
    for (const camera of wanted) {
      const known = tiles.get(camera.name);
      const tile = known ?? addTile(camera);
      const place = before ? before.nextSibling : wall.firstChild;
      if (tile.node !== place) wall.insertBefore(tile.node, place);
      if (!known) seen.observe(tile.node);
      before = tile.node;
      fillBadge(tile.badge, camera);
      fillFrame(tile.frame, camera, tile.live);
      tile.rate.textContent = camera.state.state === "live"
        ? `${number(camera.state.fps, camera.state.fps < 10 ? 1 : 0)} fps · ${number(camera.analysis.rate, camera.analysis.rate < 3 ? 1 : 0)} analysed · ${number(camera.analysis.delay_p50_s * 1000)} ms`
        : camera.source;
      tile.events.textContent = camera.last_event ? `event ${ago(camera.last_event)}` : "no events";
    }
    const live = state.cameras.filter((camera) => camera.state.state === "live" && !camera.paused).length;
    summary.textContent = state.cameras.length ? `${live} of ${state.cameras.length} live` : "";
    empty.hidden = wanted.length > 0 || state.status === null;
    empty.replaceChildren(...(state.cameras.length
      ? [make("h2", {}, "No camera fits"), make("p", {}, "Change the words or the choice above.")]
      : [make("h2", {}, "No cameras yet"), make("p", {}, "Add an RTSP address, a video file, or the simulated street to begin with."),
        make("button", { class: "main", onclick: () => cameraForm({ source: "sim:street?seed=7", name: "street" }) }, "Try the simulated street")]));
  };
  sized();
  sync();
  state.leave.push(() => { seen.disconnect(); for (const tile of tiles.values()) tile.live.stop(); });
  return { sync, onEvent: (event) => {
    const tile = tiles.get(event.data.camera);
    if (!tile) return;
    tile.events.textContent = `${words(event.data.kind)} now`;
    tile.node.classList.add("fresh");
    clearTimeout(tile.glow);
    tile.glow = setTimeout(() => tile.node.classList.remove("fresh"), 6000);
  } };
}

function overlayButton() {
  const button = make("button", { onclick: () => { state.overlay = !state.overlay; label(); } });
  const label = () => {
    button.setAttribute("aria-pressed", state.overlay);
    button.textContent = state.overlay ? "Hide boxes" : "Show boxes";
  };
  label();
  return button;
}

function facts(pairs) {
  return make("dl", {}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .flatMap(([key, value]) => [make("dt", {}, key), make("dd", {}, value)]));
}
const chips = (items) => items.length ? make("ul", { class: "chips" }, items.map((item) => make("li", {}, item))) : make("span", { class: "quiet" }, "none");

// --- zones and lines by hand ------------------------------------------------------------------------------------------
// Points are shares of the picture, as zones and lines take them.
function drawing(frame, onUse) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const image = frame.querySelector("img");
  const title = make("input", { value: "zone-1", pattern: "[A-Za-z0-9_\\-]{1,63}", autocomplete: "off", spellcheck: false, "aria-label": "Name" });
  const text = make("pre", { tabIndex: 0 }), hint = make("p", { class: "quiet small" });
  const button = (words, action) => make("button", { type: "button", onclick: action }, words);
  const undo = button("Undo", () => { points.pop(); draw(); }), clear = button("Clear", () => { points = []; draw(); });
  const copy = button("Copy", async () => {
    try { await navigator.clipboard.writeText(text.textContent); toast("Copied."); } catch { getSelection().selectAllChildren(text); }
  });
  const use = make("button", { class: "main" }, "Add to configuration");
  const card = make("form", { class: "card draw", hidden: true, onsubmit: (event) => {
    event.preventDefault();
    onUse(...place());
  } }, make("h2", {}, "Draw a zone or a line"), hint, make("label", {}, "Name", title), text, make("div", { class: "actions" }, undo, clear, copy, use));
  let points = [];
  const place = () => {
    const pair = ([x, y]) => `[${x.toFixed(3)}, ${y.toFixed(3)}]`;
    const name = asJson(title.value.trim());
    return points.length === 2 ? ["lines", `{name: ${name}, from: ${pair(points[0])}, to: ${pair(points[1])}}`]
      : ["zones", `{name: ${name}, points: [${points.map(pair).join(", ")}]}`];
  };
  const add = (tag, attributes) => {
    const node = document.createElementNS(svg.namespaceURI, tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    svg.append(node);
  };
  const draw = () => {
    const width = image.naturalWidth || 16, height = image.naturalHeight || 9;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);  // fits as the picture does
    svg.replaceChildren();
    const corners = points.map(([x, y]) => [x * width, y * height]);
    if (corners.length > 1) add(corners.length > 2 ? "polygon" : "polyline", { points: corners.map((corner) => corner.join()).join(" ") });
    for (const [x, y] of corners) add("circle", { cx: x, cy: y, r: width / 160 });
    hint.textContent = points.length < 2 ? "Click on the picture: two points make a line, three or more a zone."
      : points.length === 2 ? "A line. One more point makes it a zone." : `A zone of ${points.length} corners.`;
    const [key, item] = place();
    text.textContent = points.length < 2 ? "" : `${key}:\n  - ${item}`;
    for (const one of [copy, use]) one.disabled = points.length < 2;
    for (const one of [undo, clear]) one.disabled = points.length === 0;
  };
  title.addEventListener("input", draw);
  svg.classList.add("drawn");
  svg.addEventListener("click", (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const share = (value, whole) => Math.min(1, Math.max(0, value / whole));
    points.push([share(at.x, svg.viewBox.baseVal.width), share(at.y, svg.viewBox.baseVal.height)]);
    draw();
  });
  const toggle = () => {
    card.hidden = !card.hidden;
    if (card.hidden) svg.remove();
    else frame.append(svg);
    points = [];
    draw();
    return !card.hidden;
  };
  return { card, toggle };
}

// A configuration with one more item in a list: after the list's head where it has one, else at the end.
function withItem(config, key, item) {
  const lines = config.trimEnd().split("\n");
  const head = lines.findIndex((line) => line.trimEnd() === `${key}:`);
  if (head < 0) return `${lines.join("\n")}\n${key}:\n  - ${item}\n`;
  const indent = lines[head + 1]?.match(/^( *)- /)?.[1] ?? "  ";
  lines.splice(head + 1, 0, `${indent}- ${item}`);
  return lines.join("\n") + "\n";
}

function showCamera(main, name) {
  const badge = make("span"), frame = pictureFrame(`What ${name} sees`);
  const status = make("div"), rules = make("div"), config = make("pre", { tabIndex: 0 });
  const list = make("ul", { class: "events" });
  const none = make("p", { class: "quiet", hidden: true }, "None yet.");
  const pause = make("button", { onclick: () => setPaused() }, "Pause");
  const drawn = drawing(frame, (key, item) => edit(withItem(camera.config, key, item)));
  const draw = make("button", { "aria-pressed": false, onclick: () => draw.setAttribute("aria-pressed", drawn.toggle()) }, "Draw");
  main.append(
    make("div", { class: "head" }, make("a", { class: "button", href: "#/", "aria-label": "Back to all cameras" }, "←"),
      make("h1", {}, name), badge, make("span", { class: "space" }), overlayButton(), draw, pause,
      make("button", { onclick: () => edit() }, "Edit"), make("button", { class: "danger", onclick: () => remove() }, "Remove")),
    make("div", { class: "camera" },
      make("div", { class: "column" }, frame, drawn.card,
        make("section", { class: "card" }, make("h2", {}, "What is looked for"), rules),
        make("details", { class: "card" }, make("summary", {}, "Configuration"), config)),
      make("div", { class: "column" }, make("section", { class: "card" }, make("h2", {}, "Now"), status),
        make("section", { class: "card" }, make("h2", {}, "Recent events"), list, none))));
  const live = new LivePicture(frame, name, { interval: 200, width: 1280 });
  live.show(true);
  state.leave.push(() => live.stop());

  let camera = null, left = false;
  state.leave.push(() => { left = true; });
  const fill = () => {
    if (!camera) return;
    fillBadge(badge, camera);
    fillFrame(frame, camera, live);
    pause.textContent = camera.paused ? "Resume" : "Pause";
    const { state: stream, analysis, counts, looks } = camera;
    const total = Math.max(1, looks.full + looks.regions + looks.predicted + looks.skipped);
    const kinds = ["full", "regions", "predicted", "skipped"];
    status.replaceChildren(
      stream.error ? make("p", { class: "problem" }, stream.error) : "",
      facts([
        ["Source", make("span", { class: "mono" }, camera.source)],
        ["Video", stream.width ? `${stream.width} × ${stream.height}, ${stream.codec || "raw"}, ${number(stream.fps, 1)} fps` : "none yet"],
        ["Since", stream.since ? `${moment(stream.since)}` : null],
        ["Analysed", `${number(analysis.rate, 1)} of ${number(analysis.wanted_rate, 1)} a second${analysis.degraded ? " (the node is short of CPU)" : ""}`],
        ["Delay", `${number(analysis.delay_p50_s * 1000)} ms, 99 % within ${number(analysis.delay_p99_s * 1000)} ms`],
        ["Frames", `${number(counts.frames)}, ${number(counts.dropped)} passed over`],
        ["Connections", counts.connects > 1 || counts.stalls ? `${number(counts.connects)}, ${number(counts.stalls)} stalls` : number(counts.connects)],
        ["Damaged", counts.damaged ? number(counts.damaged) : null],
        ["Calibration", camera.calibration_error_px === null ? null : `± ${number(camera.calibration_error_px, 2)} px`],
        ["CPU", `${number(analysis.cpu_s, 1)} s analysis, ${number(analysis.decode_cpu_s, 1)} s decoding`],
      ]),
      make("h2", {}, "Attention"),
      make("div", { class: "shares", role: "img", "aria-label": kinds.map((kind) => `${kind} ${Math.round(100 * looks[kind] / total)} %`).join(", ") },
        kinds.map((kind) => { const bar = make("i", { class: kind }); bar.style.width = `${100 * looks[kind] / total}%`; return bar; })),
      make("div", { class: "key" }, kinds.map((kind) => make("span", {}, make("i", { class: kind }), `${kind} ${Math.round(100 * looks[kind] / total)} %`))));
    status.children[status.children.length - 3].style.marginTop = ".9rem";
    rules.replaceChildren(facts([
      ["Rules", chips(camera.rules.map((rule) => rule.name === rule.kind ? words(rule.kind) : `${rule.name} (${words(rule.kind).toLowerCase()})`))],
      ["Zones", chips(camera.zones)], ["Lines", chips(camera.lines)]]));
    config.textContent = camera.config;
  };
  const load = async () => {
    if (left) return;
    try {
      camera = await get(path(name));
      if (!left) fill();
    } catch (error) {
      if (left || error.status !== 404) return;
      for (const leave of state.leave.splice(0)) leave();
      main.replaceChildren(make("div", { class: "empty" }, make("h2", {}, `There is no camera “${name}”`), make("a", { class: "button", href: "#/" }, "All cameras")));
    }
  };
  const act = async (what) => {
    try { await what(); } catch (error) { toast(error.message, true); }
    await load();
    refresh();
  };
  const setPaused = () => act(async () => {
    if (!camera.paused && !await confirmed(`Pause ${name}?`, "It is not watched until somebody resumes it: what happens meanwhile is not seen.", "Pause")) return;
    await call(`${path(name)}/${camera.paused ? "resume" : "pause"}`, { method: "POST" });
    toast(camera.paused ? `${name} is watched again.` : `${name} is paused.`);
  });
  const remove = () => act(async () => {
    if (!await confirmed(`Remove ${name}?`, "Its configuration goes; its events and their evidence stay.", "Remove")) return;
    await call(path(name), { method: "DELETE" });
    toast(`${name} is removed.`);
    location.hash = "#/";
  });
  const edit = (text = camera.config) => editForm(camera, text, load);

  const insert = (event, first) => {
    const node = eventRow(event, first);
    if (first) list.prepend(node); else list.append(node);
    while (list.children.length > 12) list.lastChild.remove();
    none.hidden = list.children.length > 0;
  };
  load();
  get(`/api/v1/events?limit=12&camera=${encodeURIComponent(name)}`).then(({ events }) => {
    for (const event of events) if (!left && !$(`event-${event.id}`)) insert(event, false);
    none.hidden = list.children.length > 0;
  }).catch((error) => toast(error.message, true));
  return { sync: load, onEvent: (event) => { if (event.data.camera === name) insert(event, true); } };
}

// --- forms ------------------------------------------------------------------------------------------------------------
const asJson = (config) => JSON.stringify(config);

function cameraForm(defaults = {}) {
  const name = make("input", { name: "name", required: true, pattern: "[a-z0-9][a-z0-9_\\-]{0,62}", placeholder: "north", value: defaults.name || "", autocomplete: "off", spellcheck: false });
  const source = make("input", { name: "source", required: true, placeholder: "rtsp://user:password@10.0.0.5/stream1", value: defaults.source || "", autocomplete: "off", spellcheck: false });
  const rate = make("input", { type: "number", min: 0, max: 240, step: "any", value: 5 });
  const attention = make("select", {}, make("option", { value: "auto" }, "Where something moves (auto)"), make("option", { value: "full" }, "The whole picture"));
  const more = make("textarea", { class: "mono", spellcheck: false, "aria-label": "Zones, lines and rules, as YAML",
    placeholder: "zones:\n  - {name: road, points: [[0.1, 0.4], [0.9, 0.4], [1, 1], [0, 1]]}\nrules:\n  - {kind: person_on_road, zones: [road]}" });
  const out = make("div");
  // A value in JSON is a value in YAML: what people type can't become another key.
  const body = () => [`name: ${asJson(name.value.trim())}`, `source: ${asJson(source.value.trim())}`, `rate: ${asJson(Number(rate.value))}`,
    `attention: ${attention.value}`, more.value].join("\n") + "\n";
  const headers = { "Content-Type": "application/yaml" };
  const busy = async (button, text, work) => {
    const label = button.textContent;
    button.disabled = true;
    button.textContent = text;
    out.replaceChildren();
    try { await work(); } catch (error) { out.replaceChildren(make("div", { class: "problem", role: "alert" }, error.message)); }
    button.disabled = false;
    button.textContent = label;
  };
  const test = make("button", { type: "button", class: "left", onclick: () => {
    if (!form.reportValidity()) return;
    busy(test, "Connecting…", async () => {
      const result = await (await call("/api/v1/cameras:test?seconds=5", { method: "POST", body: body(), headers })).json();
      if (!result.ok) throw new Error(result.error);
      out.replaceChildren(make("div", { class: "result", role: "status" },
        `It works: ${result.state.width} × ${result.state.height}, ${result.state.codec || "raw"}, ${number(result.state.fps, 1)} fps; the first frame came after ${number(result.connect_s, 1)} s.`,
        result.picture_jpeg ? make("img", { alt: "What the camera sees", src: `data:image/jpeg;base64,${result.picture_jpeg}` }) : null));
    });
  } }, "Test");
  const add = make("button", { class: "main" }, "Add camera");
  const form = make("form", { class: "sheet", onsubmit: (event) => {
    event.preventDefault();
    busy(add, "Adding…", async () => {
      await call("/api/v1/cameras", { method: "POST", body: body(), headers });
      toast(`${name.value.trim()} is watched now.`);
      closeDialog();
      refresh();
    });
  } },
  make("h1", { id: "dialog-title" }, "Add a camera"),
  make("div", { class: "pair" }, make("label", {}, "Name", name, make("small", {}, "a–z, 0–9, _ and -")),
    make("label", {}, "Analyses a second", rate, make("small", {}, "0: every frame"))),
  make("label", {}, "Source", source, make("small", {}, "rtsp://, http:// (MJPEG or HLS), /dev/video0, a video file, or sim:street?seed=7. ${NAME} takes a variable of the node's environment.")),
  make("label", {}, "Where to look", attention),
  make("details", {}, make("summary", {}, "Zones, lines and rules (YAML)"), more),
  out,
  make("div", { class: "actions" }, test, make("button", { type: "button", onclick: closeDialog }, "Cancel"), add));
  openDialog(form);
  name.focus();
}

function editForm(camera, config, done) {
  const text = make("textarea", { class: "mono", value: config, spellcheck: false, "aria-label": "Configuration" });
  text.style.minHeight = "22rem";
  const out = make("div");
  openDialog(make("form", { class: "sheet", onsubmit: async (event) => {
    event.preventDefault();
    try {
      await call(path(camera.name), { method: "PUT", body: text.value, headers: { "Content-Type": "application/yaml" } });
      toast(`${camera.name} is changed.`);
      closeDialog();
      done();
    } catch (error) {
      out.replaceChildren(make("div", { class: "problem", role: "alert" }, error.message));
    }
  } },
  make("h1", { id: "dialog-title" }, `Change ${camera.name}`),
  make("p", { class: "quiet small" }, "Credentials are never shown. They stay as they are while the source reads as it does here; with another source, write them again, or use ${NAME} for a variable of the node's environment."),
  text, out,
  make("div", { class: "actions" }, make("button", { type: "button", onclick: closeDialog }, "Cancel"), make("button", { class: "main" }, "Save"))), true);
}

// --- events -----------------------------------------------------------------------------------------------------------
function aboutEvent(data) {
  const parts = [];
  if (data.zone) parts.push(data.direction ? `${data.zone}, ${data.direction}` : data.zone);
  const actors = (data.actors || []).map((actor) => actor.label);
  if (actors.length) parts.push([...new Set(actors)].join(" and "));
  for (const [name, { value }] of Object.entries(data.values || {})) {
    const unit = name.endsWith("_s") ? " s" : name.endsWith("_kmh") ? " km/h" : name.endsWith("_m") ? " m" : "";
    parts.push(`${name.replace(/_(s|kmh|m)$/, "").replaceAll("_", " ")} ${number(value, 1)}${unit}`);
  }
  return parts.join(" · ");
}

const lazyPictures = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    lazyPictures.unobserve(entry.target);
    loadSnapshot(entry.target, entry.target.dataset.event, 0);
  }
}, { rootMargin: "200px" });

// It is written a moment after the event is told.
async function loadSnapshot(frame, id, tries) {
  const url = await loadImage(frame, `/api/v1/events/${encodeURIComponent(id)}/snapshot`);
  if (url) return;
  if (tries < 4 && frame.isConnected) setTimeout(() => loadSnapshot(frame, id, tries + 1), 700 * (tries + 1));
}

function eventRow(event, fresh = false) {
  const data = event.data;
  const frame = pictureFrame(`${words(data.kind)} at ${data.camera}`);
  if (data.snapshot) {
    frame.dataset.event = event.id;
    setTimeout(() => lazyPictures.observe(frame), fresh ? 800 : 0);
  } else {
    frame.querySelector(".why").textContent = data.phase === "end" ? "ended" : "no picture";
  }
  const ended = data.phase === "end" ? ` ended after ${duration(data.duration_s || 0)}` : "";
  return make("li", { id: `event-${event.id}` },
    make("button", { class: fresh ? "event fresh" : "event", onclick: () => showEvent(event) }, frame,
      make("span", { class: "lines" }, make("strong", {}, words(data.kind) + ended),
        make("span", {}, data.camera + (data.rule && data.rule !== data.kind ? ` · ${data.rule}` : "")),
        make("span", { class: "quiet small" }, aboutEvent(data) || "\u00a0"),
        make("span", { class: "quiet small" }, moment(event.time)))));
}

async function showEvent(event) {
  const data = event.data;
  const frame = pictureFrame(`${words(data.kind)} at ${data.camera}`);
  const video = make("video", { controls: true, hidden: true });
  const clip = make("button", { type: "button", hidden: !data.clip, onclick: async () => {
    clip.disabled = true;
    try {
      const response = await call(`/api/v1/events/${encodeURIComponent(event.id)}/clip`);
      video.src = URL.createObjectURL(await response.blob());
      closeHooks.push(() => URL.revokeObjectURL(video.src));
      video.hidden = false;
      frame.hidden = clip.hidden = true;
      video.play().catch(() => {});
    } catch (error) {
      toast(error.message, true);
    }
    clip.disabled = false;
  } }, "Play clip");
  const values = Object.entries(data.values || {}).map(([name, { value, error }]) =>
    [words(name), `${number(value, 2)}${error ? ` ± ${number(error, 2)}` : ""}`]);
  openDialog(make("div", { class: "sheet" },
    make("h1", { id: "dialog-title" }, `${words(data.kind)} at ${data.camera}`),
    data.snapshot ? frame : "", video,
    facts([["Captured", moment(event.time)], ["Rule", data.rule], ["Phase", data.phase === "moment" ? null : data.phase],
      ["Lasted", data.duration_s ? duration(data.duration_s) : null], ["Where", data.zone], ["Direction", data.direction],
      ["Who", (data.actors || []).map((actor) => `${actor.label} ${actor.track}${actor.speed_mps !== undefined ? `, ${number(actor.speed_mps * 3.6, 0)} km/h` : ""}`).join("; ")],
      ...values, ["Confidence", data.confidence === undefined ? null : `${number(data.confidence * 100)} %`],
      ["Models", (data.models || []).join(", ")], ["Id", make("span", { class: "mono" }, event.id)]]),
    make("div", { class: "actions" }, clip, make("a", { class: "button", href: `#/cameras/${data.camera}`, onclick: closeDialog }, "Camera"),
      make("button", { type: "button", class: "main", onclick: closeDialog }, "Close"))), true);
  if (data.snapshot) loadSnapshot(frame, event.id, 0);
}

function showEvents(main) {
  state.fresh = 0;
  fillFresh();
  let before = null, loading = false;
  const list = make("ul", { class: "events wide" });
  const empty = make("div", { class: "empty", hidden: true }, make("h2", {}, "No events"), make("p", {}, "What rules find appears here by itself."));
  const more = make("button", { hidden: true, onclick: () => load() }, "Older events");
  const camera = make("select", { "aria-label": "Camera", onchange: () => again() });
  const kind = make("select", { "aria-label": "Kind", onchange: () => again() }, make("option", { value: "" }, "All kinds"));
  const kinds = new Set();
  const knowKind = (value) => {
    if (kinds.has(value)) return;
    kinds.add(value);
    kind.append(make("option", { value }, words(value)));
  };
  main.append(make("div", { class: "head" }, make("h1", {}, "Events"), make("span", { class: "space" }), camera, kind), list, empty,
    make("div", { class: "empty" }, more));
  const load = async () => {
    if (loading) return;
    loading = true;
    try {
      const query = new URLSearchParams({ limit: "60" });
      if (before) query.set("before_id", before);
      if (camera.value) query.set("camera", camera.value);
      if (kind.value) query.set("kind", kind.value);
      const answer = await get(`/api/v1/events?${query}`);
      for (const event of answer.events) {
        knowKind(event.data.kind);
        if (!$(`event-${event.id}`)) list.append(eventRow(event));
      }
      before = answer.next_before_id;
      more.hidden = before === null;
      empty.hidden = list.children.length > 0;
    } catch (error) {
      toast(error.message, true);
    }
    loading = false;
  };
  const again = () => { before = null; list.replaceChildren(); load(); };
  const sync = () => {
    const names = ["", ...state.cameras.map((one) => one.name)];
    if (names.join() === [...camera.options].map((option) => option.value).join()) return;
    const chosen = camera.value;
    camera.replaceChildren(...names.map((name) => make("option", { value: name }, name || "All cameras")));
    camera.value = chosen;
  };
  sync();
  load();
  return { sync, onEvent: (event) => {
    for (const rule of state.cameras.flatMap((one) => one.rules)) knowKind(rule.kind);
    if ((camera.value && camera.value !== event.data.camera) || (kind.value && kind.value !== event.data.kind)) return;
    list.prepend(eventRow(event, true));
    while (list.children.length > 600) list.lastChild.remove();
    empty.hidden = true;
  } };
}

function fillFresh() {
  $("fresh").hidden = state.fresh === 0;
  $("fresh").textContent = state.fresh > 99 ? "99+" : state.fresh;
}

// The browser's own event source can't carry a token, so the stream is read by hand.
async function listen() {
  let last = "", wait = 1000;
  for (;;) {
    try {
      const response = await call("/api/v1/events/stream", { headers: last ? { "Last-Event-ID": last } : {} });
      wait = 1000;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
        for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
          const lines = text.slice(0, end).split("\n");
          const id = lines.find((line) => line.startsWith("id: "));
          const data = lines.find((line) => line.startsWith("data: "));
          if (!id || !data) continue;
          last = id.slice(4);
          onEvent(JSON.parse(data.slice(6)));
        }
      }
    } catch { /* the banner says it */ }
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(15000, wait * 2);
  }
}
function onEvent(event) {
  if (state.name !== "events") state.fresh++;
  fillFresh();
  if ($(`event-${event.id}`)) return;
  state.view?.onEvent?.(event);
}

// --- the node ---------------------------------------------------------------------------------------------------------
function showNode(main) {
  const status = make("div"), sinks = make("div", { class: "scroll" });
  main.append(make("div", { class: "head" }, make("h1", {}, "Node")),
    make("div", { class: "column" }, make("section", { class: "card" }, status),
      make("section", { class: "card" }, make("h2", {}, "Where events go"), sinks),
      make("p", { class: "quiet small" }, make("a", { href: "/openapi.yaml" }, "API description"), " · metrics for Prometheus at /metrics")));
  const sync = async () => {
    const node = state.status;
    if (node) {
      const states = Object.entries(node.cameras.states).filter(([, count]) => count).map(([name, count]) => `${count} ${name}`).join(", ");
      status.replaceChildren(facts([["Name", node.name], ["Version", node.version], ["Up", duration(node.uptime_s)],
        ["Ready", node.ready ? "yes" : "no"], ["Workers", number(node.workers)],
        ["Analyses done", `${number(node.served_share * 100)} % of those asked for${node.overloaded ? ": the node is overloaded" : ""}`],
        ["Cameras", node.cameras.total ? `${node.cameras.total}: ${states}` : "none"]]));
    }
    try {
      const { sinks: list } = await get("/api/v1/sinks");
      sinks.replaceChildren(list.length ? make("table", {},
        make("thead", {}, make("tr", {}, ...["Sink", "Target"].map((text) => make("th", {}, text)), ...["Sent", "Waiting", "Failed", "Dropped", "Delay p95"].map((text) => make("th", { class: "number" }, text)), make("th", {}, "Last error"))),
        make("tbody", {}, list.map((sink) => make("tr", {}, make("td", {}, sink.name), make("td", { class: "mono" }, sink.target),
          ...[number(sink.sent), number(sink.waiting), number(sink.failed), number(sink.dropped + sink.refused), `${number(sink.delay_p95_s, 2)} s`].map((text) => make("td", { class: "number" }, text)),
          make("td", {}, sink.last_error || "–"))))) : make("p", { class: "quiet" }, "No sinks: events are kept here and shown on this page. See docs/node.md for webhooks, MQTT, NATS and files."));
    } catch { /* the banner says it */ }
  };
  sync();
  return { sync };
}

function fillHealth() {
  const node = state.status;
  if (!node) return;
  const trouble = state.cameras.filter((camera) => badgeOf(camera)[1] === "bad").length;
  const [text, mood] = !node.ready ? ["Not ready", "bad"] : node.overloaded ? ["Overloaded", "warn"]
    : trouble ? [`${trouble} in trouble`, "warn"] : ["All well", "good"];
  $("health").replaceChildren(make("span", {}, node.name), make("span", { class: `badge ${mood}` }, text));
  document.title = `${state.fresh ? `(${state.fresh}) ` : ""}${node.name} · Sightline`;
}

// --- going round --------------------------------------------------------------------------------------------------------
let refreshing = false;
async function refresh() {
  if (refreshing) return;
  refreshing = true;
  try {
    const [status, { cameras }] = await Promise.all([get("/api/v1/status"), get("/api/v1/cameras")]);
    state.status = status;
    state.cameras = cameras;
    fillHealth();
    state.view?.sync?.();
  } catch (error) {
    if (error.status) toast(error.message, true);
  }
  refreshing = false;
}

function go() {
  const parts = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const name = parts[0] === "cameras" && parts[1] ? "camera" : ["events", "node"].includes(parts[0]) ? parts[0] : "wall";
  for (const leave of state.leave.splice(0)) leave();
  if (!asking) closeDialog();
  const main = $("main");
  main.replaceChildren();
  state.name = name;
  state.view = { wall: showWall, camera: showCamera, events: showEvents, node: showNode }[name](main, parts[1]);
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === name || (name === "camera" && link.dataset.view === "wall")) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  window.scrollTo(0, 0);
}

window.addEventListener("hashchange", () => { go(); $("main").focus({ preventScroll: true }); });
go();
refresh().then(listen);
setInterval(() => { if (!document.hidden) refresh(); }, 2000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
