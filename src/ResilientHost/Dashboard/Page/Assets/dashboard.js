// The live part of the dashboard. The server has rendered the tables once; from here on they follow the event stream.
// Whatever comes from outside enters the page as text, never as markup.

const base = new URL(".", import.meta.url);
const root = document.documentElement;
const mayOperate = document.body.hasAttribute("data-operate");
root.classList.add("js");

const Seconds = 120;
const Hour = 3600;
const BoardCap = 20;
const EventsCap = 20;
const ProblemsCap = 8;
const EventsKept = 200;
const PollEvery = 5000;
const PollHidden = 30000;
const HiddenFor = 60000;
const FirstNewsWithin = 5000;
const SamplesStop = 12000;
const SteadyAfter = 10000;
const SoonDays = 30;

// ---- words and figures --------------------------------------------------------------------------------------------

const Kinds = {
  open: { word: "Open", symbol: "s-open", rank: 0 },
  forced: { word: "Forced open", symbol: "s-forced", rank: 1 },
  isolated: { word: "Isolated", symbol: "s-isolated", rank: 2 },
  half: { word: "Half-open", symbol: "s-half", rank: 3 },
  shadow: { word: "Would be open", symbol: "s-shadow", rank: 4 },
  closed: { word: "Closed", symbol: "s-closed", rank: 5 },
  off: { word: "Disabled", symbol: "s-off", rank: 6 },
};

const Levels = ["normal", "reduced", "essential", "survival"];
const LevelTexts = {
  normal: "Everything is served",
  reduced: "Sheddable endpoints are turned down",
  essential: "Only critical endpoints, and a trickle of others",
  survival: "Only critical endpoints",
};
const SignalTexts = {
  cpu: ["CPU", "share"], memory: ["Memory", "share"], memory_projected: ["Memory in 10 s", "share"], gc_pause: ["GC pauses", "share"],
  thread_pool_delay: ["Thread pool delay", "seconds"], thread_pool_queue: ["Thread pool queue", "count"], lock_contention: ["Lock contention", "perSecond"],
  file_descriptors: ["File descriptors", "share"], cpu_pressure: ["CPU pressure", "share"], memory_pressure: ["Memory pressure", "share"], memory_events: ["Memory limit hits", "perSecond"],
};
const WorkerKinds = {
  failed: ["Failed", "open"], stuck: ["Stuck", "half"], backingOff: ["Backing off", "half"], paused: ["Paused", "shadow"], stopping: ["Stopping", "shadow"],
  running: ["Running", "closed"], created: ["Not started", "off"], stopped: ["Stopped", "off"], completed: ["Completed", "off"],
};
const WorkerRanks = Object.keys(WorkerKinds);

// As the logs have it: two people who compare their screens read the same time.
const timeZone = "UTC";
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone });
const minutes = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone });
const grouped = new Intl.NumberFormat("en-US");

const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
// As it goes on within a sentence. Names keep what is theirs: an abbreviation, a method.
const uncapital = text => /^.\p{Ll}/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
const minute = iso => `${minutes.format(Date.parse(iso))} UTC`;
const many = (count, one, more = `${one}s`) => `${grouped.format(count)} ${count === 1 ? one : more}`;

function share(value) {
  const percent = value * 100;
  return percent === 0 ? "0 %" : percent < 0.1 ? "<0.1 %" : percent < 9.95 ? `${percent.toFixed(1)} %` : `${Math.round(percent)} %`;
}

function rate(value) {
  if (value === null || value === undefined) return "–";
  return value === 0 ? "0/s" : value < 0.1 ? "<0.1/s" : value < 9.95 ? `${value.toFixed(1)}/s` : value < 9950 ? `${grouped.format(Math.round(value))}/s` : `${(value / 1000).toFixed(1)}k/s`;
}

function time(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const ms = seconds * 1000;
  return ms > 0 && ms < 0.01 ? "<0.01 ms" : ms < 0.995 ? `${ms.toFixed(2)} ms` : ms < 9.95 ? `${ms.toFixed(1)} ms` : ms < 999.5 ? `${Math.round(ms)} ms` : seconds < 9.995 ? `${seconds.toFixed(2)} s` : `${seconds.toFixed(1)} s`;
}

function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < Hour) return s % 60 && s < 600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 60)} min`;
  if (s < 48 * Hour) return Math.floor(s % Hour / 60) ? `${Math.floor(s / Hour)} h ${Math.floor(s % Hour / 60)} min` : `${Math.floor(s / Hour)} h`;
  return `${Math.floor(s / 86400)} days`;
}

function figure(value, unit) {
  if (value === null || value === undefined) return "–";
  return unit === "share" ? `${(value * 100).toFixed(value * 100 < 10 && value !== 0 ? 1 : 0)} %`
    : unit === "seconds" ? time(value)
    : unit === "perSecond" ? rate(value)
    : value >= 1000 ? grouped.format(Math.round(value)) : `${Math.round(value * 100) / 100}`;
}

// 75 % to 90 % is 75–90 %: a unit is told once.
function range(from, to) {
  const unit = / ?[^\d.,]+$/.exec(to)?.[0];
  return `${unit && from.endsWith(unit) ? from.slice(0, -unit.length) : from}–${to}`;
}

// ---- the page's own tools -----------------------------------------------------------------------------------------

const $ = id => document.getElementById(id);

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const child of children) if (child !== null && child !== undefined) element.append(child);
  return element;
}

function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Setting what is there already would still cost a layout, and tell screen readers of a change.
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function mark(element, name, value) {
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

const show = (element, shown) => { if (element.hidden === shown) element.hidden = !shown; };

function glyph(symbol) {
  const use = draw("use", { href: `#${symbol}` });
  return { svg: draw("svg", { class: "glyph", "aria-hidden": "true", viewBox: "0 0 32 16" }, use), set: name => mark(use, "href", `#${name}`) };
}

// The roles are told in so many words: a table laid out as a grid on a phone is otherwise no table to some screen readers.
function cell(className, label, role = "cell") {
  const td = make(role === "rowheader" ? "th" : "td", className);
  if (role === "rowheader") td.scope = "row";
  td.setAttribute("role", role);
  if (label) td.dataset.label = label;
  return td;
}

function giveRoles() {
  for (const [selector, role] of [["table", "table"], ["thead, tbody", "rowgroup"], ["thead tr", "row"], ["thead th", "columnheader"]]) {
    for (const element of document.querySelectorAll(selector)) element.setAttribute("role", role);
  }
}

// Rows by key: made once, moved only when the order changed, never rebuilt.
class Rows {
  constructor(body, build) {
    this.body = body;
    this.build = build;
    this.rows = null;
  }

  show(items, keyOf) {
    if (!this.rows) {
      // What the server rendered stays until there is something to put in its place.
      this.rows = new Map();
      this.body.replaceChildren();
    }
    const wanted = new Set();
    let before = this.body.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      wanted.add(key);
      let row = this.rows.get(key);
      if (!row) {
        row = this.build(item);
        row.element.setAttribute("role", row.element.tagName === "TR" ? "row" : "listitem");
        this.rows.set(key, row);
      }
      if (row.element === before) before = before.nextElementSibling;
      else this.body.insertBefore(row.element, before);
      row.update(item);
    }
    for (const [key, row] of this.rows) {
      if (!wanted.has(key)) {
        row.element.remove();
        row.removed?.();
        this.rows.delete(key);
      }
    }
  }
}

const announcements = [];
function announce(text) {
  announcements.push(text);
  if (announcements.length > 1) return;
  setTimeout(() => {
    say($("announce"), announcements.join(". "));
    announcements.length = 0;
  }, 1000);
}

function tell(text, good) {
  const result = $("result");
  result.dataset.good = good;
  say(result, text);
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => say(result, ""), 12000);
}

// ---- what is known ------------------------------------------------------------------------------------------------

const state = {
  status: null, circuits: new Map(), bulkheads: new Map(), fallbacks: new Map(), clients: new Map(), workers: new Map(), tasks: new Map(), signals: new Map(),
  level: { level: "normal", overridden: false }, strips: { level: [], circuits: new Map(), workers: new Map() },
  service: null, golden: null, events: [], configuration: null, historyKept: true, isMixed: false, connection: "connecting", seen: 0,
};

// What belongs to one process, and says nothing of the next.
function forget() {
  for (const map of [state.circuits, state.bulkheads, state.fallbacks, state.clients, state.workers, state.tasks, state.signals, state.strips.circuits, state.strips.workers]) map.clear();
  state.strips.level = [];
  state.level = { level: "normal", overridden: false };
  Object.assign(state, { service: null, golden: null, events: [], configuration: null, isMixed: false });
  second = 0;
  recent.length = pending.length = 0;
}

// Times are the server's; this clock may be off by anything. The page itself says first how far.
let skew = Date.parse(document.body.dataset.at) - Date.now() || 0;
const now = () => Date.now() + skew;
const since = iso => (now() - Date.parse(iso)) / 1000;
const idOf = (name, key) => JSON.stringify([name, key ?? null]);
const nameOf = circuit => circuit.key ? `${circuit.name} · ${circuit.key}` : circuit.name;

// The newest second of every circuit's ring; they all turn together.
let second = 0;

class Circuit {
  constructor(name, key) {
    this.id = idOf(name, key);
    Object.assign(this, { name, key: key ?? null, state: "closed", mode: "enforce", calls: 0, failures: 0, refused: 0, failureRatio: 0, slowCallRatio: 0, ring: null, restedAt: null });
  }

  take(status) {
    const before = this.kind;
    Object.assign(this, status);
    this.halfOpensAt = status.retryAfterSeconds === null || status.retryAfterSeconds === undefined ? null : performance.now() + status.retryAfterSeconds * 1000;
    this.kind = kindOf(this);
    return before !== undefined && before !== this.kind;
  }

  turn() {
    if (!this.ring) return;
    const slot = second % Seconds;
    this.ring.calls[slot] = this.ring.failures[slot] = this.ring.refused[slot] = 0;
  }

  put(offset, calls, failures, refused) {
    if (!calls && !refused && !this.ring) return;
    this.ring ??= { calls: new Float64Array(Seconds), failures: new Float64Array(Seconds), refused: new Float64Array(Seconds) };
    const slot = (second + Seconds + offset) % Seconds;
    this.ring.calls[slot] = calls;
    this.ring.failures[slot] = failures;
    this.ring.refused[slot] = refused;
  }

  // Over ten seconds: by the second the figure would flicker. Nobody counts for partitions, nor for circuits without a history.
  get traffic() {
    if (!this.ring) return this.callsPerSecond ?? null;
    const { calls, refused } = this.lately(10);
    return (calls + refused) / 10;
  }

  // The window that the circuit decides by; while that is empty, as it is while the circuit is not closed, what came lately. Of what was before it closed nobody needs to know.
  get errors() {
    if (this.calls > 0) return { calls: this.calls, failures: this.failures, ratio: this.failureRatio };
    const { calls, failures } = this.lately(this.state === "closed" ? Math.min(30, Math.floor(since(this.closedAt))) : 30);
    return { calls, failures, ratio: calls ? failures / calls : 0 };
  }

  get closedAt() {
    return this.restedAt && Date.parse(this.restedAt) > Date.parse(this.since) ? this.restedAt : this.since;
  }

  lately(seconds) {
    const sums = { calls: 0, failures: 0, refused: 0 };
    if (!this.ring) return sums;
    for (let back = 0; back < seconds; back++) {
      const slot = (second + Seconds - back) % Seconds;
      for (const name of Object.keys(sums)) sums[name] += this.ring[name][slot];
    }
    return sums;
  }

  get secondsLeft() {
    return this.halfOpensAt === null ? null : Math.max(0, Math.ceil((this.halfOpensAt - performance.now()) / 1000));
  }
}

function kindOf(circuit) {
  if (circuit.mode === "disabled") return "off";
  if (circuit.mode === "forcedOpen") return "forced";
  if (circuit.state === "isolated") return "isolated";
  if (circuit.state === "closed") return "closed";
  if (circuit.mode === "shadow") return "shadow";
  return circuit.state === "halfOpen" ? "half" : "open";
}

function wordOf(circuit) {
  if (circuit.kind === "shadow" && circuit.state === "halfOpen") return "Would be half-open";
  return Kinds[circuit.kind].word;
}

const halfOpens = left => left === null ? "half-opens when its break is over" : left > 0 ? `half-opens in ${span(left)}` : "half-opens now";

function nextOf(circuit) {
  const left = circuit.secondsLeft;
  switch (circuit.kind) {
    case "open": return halfOpens(left);
    case "half": return "probing";
    case "isolated": return "until reset";
    case "forced": return "until its mode is changed";
    case "shadow": return circuit.wouldHaveRefused ? `${grouped.format(circuit.wouldHaveRefused)} not refused` : "nothing is refused";
    default: return circuit.mode === "shadow" ? "shadow" : "";
  }
}

function circuitOf(name, key) {
  const id = idOf(name, key);
  let circuit = state.circuits.get(id);
  if (!circuit) state.circuits.set(id, circuit = new Circuit(name, key));
  return circuit;
}

function stripOf(map, key) {
  if (!map.has(key)) map.set(key, []);
  return map.get(key);
}

let stripsMoved = true;

// News that is older than what the strip says already is none: an answer may come after what happened since.
function moveStrip(segments, value, at) {
  const last = segments.at(-1);
  if (last && (last.state === value || Date.parse(at) <= Date.parse(last.from))) return;
  if (last) last.to = at;
  segments.push({ state: value, from: at, to: null });
  stripsMoved = true;
  if (segments.length > 100) segments.shift();
}

const StateRanks = { closed: 0, halfOpen: 1, open: 2, isolated: 3 };

// A circuit with partitions is as bad as the worst of them; itself it may never have been anything but closed.
function moveStripOf(name) {
  const own = state.circuits.get(idOf(name));
  let worst = own;
  for (const each of state.circuits.values()) {
    if (each.name === name && each.since && (!worst || StateRanks[each.state] > StateRanks[worst.state])) worst = each;
  }
  if (!worst) return;
  moveStrip(stripOf(state.strips.circuits, name), worst.state, worst.state === "closed" ? worst.closedAt : worst.since);
}

// A partition that closes is told of no more; when that was is not told at all.
function dropCircuit(circuit) {
  state.circuits.delete(circuit.id);
  const own = state.circuits.get(idOf(circuit.name));
  if (circuit.key && own) own.restedAt = new Date(now()).toISOString();
}

function moveStrips() {
  for (const name of new Set([...state.circuits.values()].map(each => each.name))) moveStripOf(name);
  for (const worker of state.workers.values()) moveStrip(stripOf(state.strips.workers, worker.name), worker.state, worker.since);
  if (state.level.since) moveStrip(state.strips.level, state.level.level, state.level.since);
}

// ---- taking in what the server says -------------------------------------------------------------------------------

function takeStatus(status) {
  const before = state.status;
  if (before && (before.instance !== status.instance || before.startedAt !== status.startedAt)) forget();
  state.status = status;
  state.historyKept = status.historyKept !== false;
  const known = new Set();
  for (const each of status.circuitBreakers) {
    const circuit = circuitOf(each.name, each.key);
    circuit.take(each);
    known.add(circuit.id);
  }
  for (const circuit of [...state.circuits.values()]) if (!known.has(circuit.id)) dropCircuit(circuit);
  replace(state.bulkheads, status.bulkheads, "name");
  replace(state.fallbacks, status.fallbacks, "endpoint");
  replace(state.clients, status.httpClients, "name");
  replace(state.workers, status.workers, "name");
  replace(state.tasks, status.isolatedTasks ?? [], "name");
  replace(state.signals, status.signals, "name");
  takeLevel({ level: status.level, ...status.degradation });
  moveStrips();
  soon();
}

function replace(map, items, key) {
  const old = new Map(map);
  map.clear();
  for (const item of items) map.set(item[key], keepUse(old.get(item[key]), item));
}

// Whether a counter moves is told by two readings of it.
function keepUse(before, item) {
  if (item.delegate !== undefined) {
    const served = item.delegate + item.stale;
    const moved = before && served > before.delegate + before.stale;
    return { ...item, servedAt: moved ? performance.now() : before?.servedAt ?? null, servedStale: moved ? item.stale > before.stale : before?.servedStale ?? false };
  }
  if (item.adaptive !== undefined) return { ...item, refusedAt: before && item.refused > before.refused ? performance.now() : before?.refusedAt ?? null };
  return item;
}

function takeCircuit(each) {
  const circuit = circuitOf(each.name, each.key);
  const moved = circuit.take(each);
  if (moved) {
    announce(`${nameOf(circuit)}: ${wordOf(circuit)}`);
    circuit.flash = true;
  }
  if (each.key && each.state === "closed") dropCircuit(circuit);
  moveStripOf(each.name);
  soon();
  return circuit;
}

function takeWorker(worker) {
  const before = state.workers.get(worker.name);
  if (before && before.state !== worker.state && WorkerRanks.indexOf(worker.state) < 3) announce(`Worker ${worker.name}: ${WorkerKinds[worker.state]?.[0] ?? worker.state}`);
  state.workers.set(worker.name, worker);
  moveStrip(stripOf(state.strips.workers, worker.name), worker.state, worker.since);
  soon();
}

function takeLevel(level) {
  const before = state.level;
  state.level = { ...before, ...level };
  if (before.since && before.level !== level.level) announce(`Service level ${capital(level.level)}`);
  moveStrip(state.strips.level, level.level, level.since);
  soon();
}

// What the stream has told since the answer was asked for is newer than the answer, and is put on top of it.
function takeHistory(history, samples) {
  skew = Date.parse(history.at) - Date.now();
  second = Math.floor(Date.parse(history.at) / 1000);
  recent.length = pending.length = 0;
  for (const circuit of state.circuits.values()) circuit.ring = null;
  state.strips.circuits = new Map();
  for (const each of history.circuits) {
    if (!each.key && each.states.length) state.strips.circuits.set(each.name, each.states.slice());

    // Outbound clients and calls have a history, too; their circuits are shown where they are.
    const circuit = state.circuits.get(idOf(each.name, each.key));
    if (!circuit) continue;
    const count = each.calls.length;
    for (let i = 0; i < count; i++) circuit.put(i - count + 1, each.calls[i], each.failures[i], each.refused[i]);
    Object.assign(circuit, { p50Seconds: each.p50Seconds, p90Seconds: each.p90Seconds, p99Seconds: each.p99Seconds });
  }
  state.strips.level = history.levels.map(({ level, state: named, from, to }) => ({ state: level ?? named, from, to }));
  state.strips.workers = new Map(history.workers.map(worker => [worker.name, worker.states.slice()]));
  moveStrips();
  const told = history.events.at(-1)?.id ?? -Infinity;
  state.events = [...history.events, ...state.events.filter(each => each.id > told)].slice(-EventsKept);
  stripsMoved = true;
  const service = history.service;
  const end = Date.parse(service.to) / 1000;
  const step = service.intervalSeconds;
  const times = service.rate.map((_, i) => end - (service.rate.length - 1 - i) * step);
  state.golden = { step, times, rate: service.rate.slice(), errors: service.errors.slice(), refused: service.refused.slice(), p50: service.p50Seconds.slice(), p90: service.p90Seconds.slice(), p99: service.p99Seconds.slice(), inFlight: service.inFlight.slice(), saturation: service.saturation.slice(), dirty: true };
  for (const sample of samples) if (Math.floor(Date.parse(sample.at) / 1000) > second) takeSample(sample);
  soon();
}

const pending = [];
const recent = [];

// By the second these figures would flicker, and what lasted less would be gone before anybody reads it.
function meanOf(samples) {
  const mean = name => samples.reduce((sum, each) => sum + (each[name] ?? 0), 0) / samples.length;
  const last = name => samples.findLast(each => each[name] !== null && each[name] !== undefined)?.[name] ?? null;
  return {
    rate: mean("rate"), errors: mean("errors"), refused: mean("refused"), inFlight: mean("inFlight"), saturation: mean("saturation"),
    p50Seconds: last("p50Seconds"), p90Seconds: last("p90Seconds"), p99Seconds: last("p99Seconds"),
  };
}

// What n calls are by the i-th of several seconds, so that none is lost.
const portion = (total, i, seconds) => Math.floor(total * (i + 1) / seconds) - Math.floor(total * i / seconds);

function takeSample(sample) {
  const at = Date.parse(sample.at);
  skew = at - Date.now();
  const next = Math.max(second + 1, Math.floor(at / 1000));
  // A process that stood still for some seconds tells of them in one sample.
  const seconds = second ? Math.min(next - second, Seconds) : 1;
  for (let i = 0; i < seconds; i++) {
    second = next - seconds + i + 1;
    for (const circuit of state.circuits.values()) circuit.turn();
    for (const each of sample.circuits) state.circuits.get(idOf(each.name, each.key))?.put(0, portion(each.calls, i, seconds), portion(each.failures, i, seconds), portion(each.refused, i, seconds));
    recent.push(sample.service);
    if (state.golden) pending.push(sample.service);
    addToGolden();
  }
  for (const each of sample.circuits) {
    const circuit = state.circuits.get(idOf(each.name, each.key));
    if (circuit) Object.assign(circuit, { p50Seconds: each.p50Seconds, p90Seconds: each.p90Seconds, p99Seconds: each.p99Seconds });
  }
  recent.splice(0, recent.length - 10);
  state.service = meanOf(recent);
  soon();
}

function addToGolden() {
  const golden = state.golden;
  if (!golden || pending.length < golden.step) return;
  const mean = meanOf(pending);
  golden.times.push(second);
  for (const name of ["rate", "errors", "refused", "inFlight", "saturation"]) golden[name].push(mean[name]);
  for (const name of ["p50", "p90", "p99"]) golden[name].push(mean[`${name}Seconds`]);
  while (golden.times.length > Hour / golden.step) for (const values of Object.values(golden)) if (Array.isArray(values)) values.shift();
  golden.dirty = true;
  pending.length = 0;
}

function takeEvent(event) {
  if (state.events.some(each => each.id === event.id)) return;
  state.events.push(event);
  if (state.events.length > EventsKept) state.events.shift();
  // A reload, applied or refused, is told by an event of the configuration's.
  if (event.eventId >= 1900 && event.eventId < 1910) loadConfiguration();
  soon();
}

// ---- the verdict --------------------------------------------------------------------------------------------------

// What is no circuit has another sign of the same diagrams: a motor, a fuse, steps.
const ProblemSymbols = { shedding: "s-level", level: "s-level", worker: "s-worker", "backing off": "s-worker", certificate: "s-fuse", "switched off": "s-off", layer: "s-off" };
const Noted = new Set(["failing", "bulkhead", "requests", "configuration", "leak", "process", "draining", "page", "erring"]);
const Refusing = new Set(["refusing", "probing", "bulkhead", "shedding", "requests"]);

// A single failure is no trouble, and a few in a hundred are what circuits are for.
const FewestFailures = 3;
const LeastRatio = 0.1;
const BadRatio = 0.5;
const RefusedShare = 0.01;
const MovedLately = 15000;

const lately = at => at !== null && at !== undefined && performance.now() - at < MovedLately;

function fallbackOf(circuit) {
  let [own, stale, failed] = [0, 0, 0];
  for (const each of state.fallbacks.values()) {
    if ((each.circuitBreaker ?? each.endpoint) !== circuit.name) continue;
    own += each.delegate;
    stale += each.stale;
    failed += each.failed;
  }
  return own + stale ? `Answered by its ${own ? "" : "stale "}fallback, ${grouped.format(own + stale)} so far${failed ? `, ${grouped.format(failed)} failed` : ""}` : null;
}

function problemsOf() {
  const problems = [];
  const add = (rank, kind, what, detail, protection, next, subject, topic) => problems.push({ rank, kind, symbol: ProblemSymbols[topic] ?? (Noted.has(topic) ? "s-note" : Kinds[kind].symbol), what, detail, protection, next, subject, topic, id: `${topic} ${what}` });
  const serving = [...state.fallbacks.values()].filter(each => lately(each.servedAt));

  for (const circuit of state.circuits.values()) addCircuit(circuit, add);

  for (const each of state.bulkheads.values()) {
    const isFull = each.limit && each.inFlight >= each.limit;
    if (!lately(each.refusedAt) && !(isFull && each.refused)) continue;
    add(3.2, "half", `Bulkhead ${each.name}`, `${isFull ? "Full" : "Refuses calls"}: ${grouped.format(each.inFlight)} in flight${each.queued ? `, ${grouped.format(each.queued)} waiting` : ""}`, `Further calls are refused, ${grouped.format(each.refused)} so far`, "Takes calls again as others end", null, "bulkhead");
  }

  for (const client of state.clients.values()) {
    for (const each of client.authorities) {
      const left = each.certificateExpiresAt ? -since(each.certificateExpiresAt) / 86400 : Infinity;
      if (each.certificateFault) add(6, "half", `${client.name} → ${each.authority}`, `Certificate: ${words(each.certificateFault)}`, "Nothing here", "Somebody has to replace it", null, "certificate");
      else if (left < 14) add(left < 2 ? 4 : 7, left < 2 ? "open" : "half", `${client.name} → ${each.authority}`, left < 0 ? "Certificate has expired" : `Certificate expires in ${span(left * 86400)}`, "Nothing: calls fail from then on", `${day.format(Date.parse(each.certificateExpiresAt))}, unless it is replaced`, null, "certificate");
    }
  }

  const level = state.level;
  if (level.level !== "normal" || level.overridden) {
    const worst = [...state.signals.values()].filter(each => each.decides && each.value !== null).sort((a, b) => b.value / b.enter - a.value / a.enter)[0];
    const turnsDown = level.level !== "normal" && (level.mode !== "shadow" || level.overridden);
    const why = level.overridden ? "Set by hand" : worst ? `${signalName(worst.name)} at ${figure(worst.value, signalUnit(worst))}` : "Overload";
    const next = level.overridden ? level.overriddenUntil ? `Ends ${minute(level.overriddenUntil)}, in ${span(-since(level.overriddenUntil))}` : "Until somebody gives it back" : worst ? `Falls a step at a time once ${signalName(worst.name)} is at ${figure(worst.exit, signalUnit(worst))}` : "Falls a step at a time";
    const sheds = turnsDown || level.level === "normal" ? LevelTexts[level.level] : "Nothing: requests are only counted";
    add(level.level === "normal" ? 8.5 : level.level === "reduced" ? 4 : 0.5, level.level === "normal" ? "shadow" : level.level === "reduced" ? "half" : "open", `Service level ${capital(level.level)}`, why, sheds, next, { level: true }, turnsDown ? "shedding" : "level");
  }

  for (const worker of state.workers.values()) {
    const failure = worker.lastFailure ? worker.lastFailure.split(".").at(-1) : null;
    if (worker.state === "failed") add(2, "open", `Worker ${worker.name}`, failure ? `Given up: ${failure}` : "Given up", "The other workers go on", "It does not start again by itself", null, "worker");
    else if (worker.state === "stuck") add(3, "half", `Worker ${worker.name}`, worker.lastHeartbeat ? `Silent for ${span(since(worker.lastHeartbeat))}` : "Silent for too long", "The other workers go on", "Is replaced, or reported, after its timeout", null, "worker");
    else if (worker.state === "backingOff") add(6, "half", `Worker ${worker.name}`, failure ? `Failed: ${failure}` : "Failed", `Started again ${many(worker.restarts, "time")}`, "Starts again after its delay", null, "backing off");
  }

  for (const each of state.configuration?.entries ?? []) {
    if (each.value !== "false") continue;
    const layer = /^(?:([^:]+):)?Enabled$/.exec(each.key);
    if (!layer) continue;
    if (layer[1]) add(8, "shadow", `Layer ${layer[1]}`, "Switched off", "Nothing", `Until Enabled is set (${each.source})`, null, "layer");
    else add(2.5, "half", "All layers", "Switched off", "Nothing", `Until Enabled is set (${each.source})`, null, "switched off");
  }
  if (state.configuration?.lastRefusal) add(6.5, "half", "Configuration", `Reload refused ${minute(state.configuration.lastRefusedAt)}`, "The last good one serves", "The next valid one applies", null, "configuration");
  for (const tasks of state.tasks.values()) if (tasks.isLeaking) add(7, "half", `Tasks ${tasks.name}`, `${many(tasks.live, "task")} left behind and growing`, "Nothing", tasks.origin ? `Look at ${tasks.origin}` : "Grows until memory is short", null, "leak");
  if (state.status?.isTainted) add(7.5, "half", "Process", "An exception that nothing caught was contained", "The process goes on", "Restart it when convenient", null, "process");
  if (state.status?.isDraining) add(3.5, "shadow", "Instance", "Draining", "No new requests are routed here", "It stops once its requests have ended", null, "draining");
  if (state.isMixed) add(8.2, "shadow", "This page", "Answers come from several instances", `Only those of ${state.status?.instance} are shown`, "Give each instance an address of its own", null, "page");
  addRequests(problems, add);
  problems.sort((a, b) => a.rank - b.rank || (a.what < b.what ? -1 : 1));
  return { problems, serving };
}

function addCircuit(circuit, add) {
  const kind = circuit.kind;
  const what = nameOf(circuit);
  const subject = { circuit: circuit.id };
  const fallback = fallbackOf(circuit);
  const { calls, failures, ratio } = circuit.errors;
  const isFailing = failures >= FewestFailures && ratio >= LeastRatio;
  const failed = `${share(ratio)} of ${many(calls, "call")} failed`;
  const detail = `${wordOf(circuit)} for ${span(since(circuit.since))}`;
  if (kind === "open" || kind === "forced" || kind === "isolated") {
    const next = kind === "isolated" ? "Stays so until somebody resets it" : capital(nextOf(circuit));
    add(Kinds[kind].rank / 10, kind, what, detail, fallback ?? `Calls are refused at once${circuit.refused ? `, ${grouped.format(circuit.refused)} so far` : ""}`, next, subject, "refusing");
  } else if (kind === "half") {
    add(5, kind, what, detail, "Only probes get through", "Closes when its probes succeed, opens again when not", subject, "probing");
  } else if (kind === "shadow") {
    const isBad = isFailing && ratio >= BadRatio;
    add(isBad ? 1 : isFailing ? 4.5 : 9, isBad ? "open" : isFailing ? "half" : kind, what, isFailing ? `${detail}, ${failed}` : detail, fallback ?? "Nothing: it only watches (Shadow)", `Would have refused ${many(circuit.wouldHaveRefused ?? 0, "call")}`, subject, isFailing ? "failing" : "watching");
  } else if (isFailing) {
    const protection = kind === "off" ? "Nothing: it is disabled" : circuit.mode === "shadow" ? "Nothing: it only watches (Shadow)" : "Nothing yet: it is closed";
    add(ratio >= BadRatio ? 1 : 4.5, ratio >= BadRatio ? "open" : "half", what, failed, fallback ?? protection, kind === "off" ? "Until its mode is changed" : "Opens at its thresholds", subject, "failing");
  }
}

// What no circuit, no bulkhead and no level accounts for: deadlines, queues, quotas, endpoints without a circuit.
function addRequests(problems, add) {
  const service = state.service;
  const all = service ? service.rate + service.refused : 0;
  if (!all) return;
  const refusedShare = service.refused / all;
  if (refusedShare >= RefusedShare && !problems.some(each => Refusing.has(each.topic))) add(3.4, "half", "Requests", `${share(refusedShare)} of ${rate(all)} refused`, "The others are served", "See bulkheads and recent events", null, "requests");
  const ratio = service.errors / all;
  if (service.errors * 10 >= FewestFailures && ratio >= LeastRatio && !problems.some(each => each.topic === "failing" || each.topic === "refusing" || each.topic === "probing")) {
    add(ratio >= BadRatio ? 1.2 : 4.6, ratio >= BadRatio ? "open" : "half", "Requests", `${share(ratio)} of ${rate(all)} fail`, "Nothing", "See recent events", null, "erring");
  }
}

function verdictOf({ problems, serving }) {
  const circuits = [...state.circuits.values()];
  const count = kind => circuits.filter(each => each.kind === kind).length;
  const [open, isolated, forced, half] = ["open", "isolated", "forced", "half"].map(count);
  const held = isolated + forced;
  const of = topic => problems.filter(each => each.topic === topic).map(each => each.what);
  const named = (how, names, one) => names.length === 0 ? "" : `${how} ${names.length === 1 ? names[0] : many(names.length, one)}`;
  const states = [[open, "open"], [isolated, "isolated"], [forced, "forced open"], [half, "half-open"]].filter(([number]) => number > 0);
  // More than two things are no sentence that is read at a glance; the table names them all.
  const parts = [
    states.map(([number, word], i) => `${i === 0 ? many(number, "circuit") : grouped.format(number)} ${word}`).join(", "),
    of("switched off").length ? "all layers switched off" : "",
    named("errors at", of("failing"), "circuit"),
    state.level.level === "normal" ? "" : `service level ${capital(state.level.level)}`,
    of("worker").length ? `${many(of("worker").length, "worker")} down` : "",
    named("no room in", of("bulkhead").map(uncapital), "bulkhead"),
  ].filter(Boolean).slice(0, 2);
  const worst = problems[0];
  const has = (...kinds) => problems.some(each => kinds.includes(each.kind));
  const severity = !worst ? "calm" : has("open", "forced", "isolated") ? "broken" : has("half") ? "warned" : "noted";
  const closed = circuits.filter(each => each.kind !== "off" && !each.key).length;
  const text = parts.length ? capital(parts.join(states.length > 1 ? "; " : " and ")) : worst ? `${worst.what}: ${uncapital(worst.detail)}` : closed ? `All ${many(closed, "circuit")} closed` : "Nothing is broken";

  const facts = [];
  if (serving.length) facts.push(`${serving.length === 1 ? serving[0].endpoint : many(serving.length, "endpoint")} ${serving.length === 1 ? "answers" : "answer"} from ${serving.every(each => each.servedStale) ? "stale fallbacks" : "fallbacks"}`);
  if (state.service?.refused) facts.push(`${rate(state.service.refused)} refused`);
  const soonest = circuits.filter(each => each.kind === "open" && each.secondsLeft !== null).sort((a, b) => a.halfOpensAt - b.halfOpensAt)[0];
  if (soonest) facts.push(`${nameOf(soonest)} ${nextOf(soonest)}`);
  if (!facts.length) facts.push(severity === "broken" ? "What is broken is listed with what protects from it" : problems.some(each => Refusing.has(each.topic)) ? "Some calls may be refused" : "No circuit refuses calls");
  if (state.service && severity === "calm") facts.push(`${rate(state.service.rate)}, ${share(state.service.rate ? state.service.errors / state.service.rate : 0)} errors, p99 ${time(state.service.p99Seconds)}`);
  const symbol = open ? "s-open" : held ? "s-isolated" : half ? "s-half" : severity === "broken" ? "s-open" : severity === "warned" ? "s-half" : "s-closed";
  const short = open || held ? `${grouped.format(open + held)} open` : half ? `${grouped.format(half)} half-open` : severity === "broken" || severity === "warned" ? many(problems.length, "problem") : state.level.level !== "normal" ? capital(state.level.level) : "OK";
  return { text, severity, symbol, short, summary: facts.join(". ") + "." };
}

const Icons = {
  calm: ["#1f7a5c", "M3 20H9M23 20H29M9 20H23"], noted: ["#5b6b7a", "M3 20H9M23 20H29M9 20H23"],
  warned: ["#b26a00", "M3 20H9M23 20H29M9 20 22 13"], broken: ["#d1291f", "M3 20H9M23 20H29M9 20 20 6"],
};

function setIcon(severity) {
  if (setIcon.last === severity) return;
  setIcon.last = severity;
  const [colour, path] = Icons[severity];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="${colour}"/><path d="${path}" stroke="#fff" stroke-width="3" stroke-linecap="round" fill="none"/></svg>`;
  document.querySelector("link[rel=icon]").href = `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

const problemRows = new Rows($("problems").tBodies[0], () => {
  const element = make("tr");
  const mark1 = glyph("s-open");
  const [what, detail, protection, next] = [make("b"), make("span", "detail"), make("span"), make("span")];
  const broken = cell("broken", null, "rowheader");
  broken.append(mark1.svg, make("span", "two", what, detail));
  const [by, then, act] = [cell("by", "Protected by"), cell("then", "Next"), cell("act")];
  by.append(protection);
  then.append(next);
  const button = make("button");
  button.type = "button";
  act.append(button);
  element.append(broken, by, then, act);
  let subject = null;
  button.addEventListener("click", () => openOperate(subject));
  return {
    element,
    update(problem) {
      subject = problem.subject;
      mark(element, "data-kind", problem.kind);
      mark1.set(problem.symbol);
      say(what, problem.what);
      say(detail, problem.detail);
      say(protection, problem.protection);
      say(next, problem.next);
      show(button, mayOperate && subject !== null);
      say(button, "Operate");
      mark(button, "aria-label", `Operate ${problem.what}`);
    },
  };
});

function renderVerdict() {
  const found = problemsOf();
  const verdict = verdictOf(found);
  $("top").dataset.severity = verdict.severity;
  mark($("wire"), "href", `#${verdict.symbol}`);
  say($("verdict"), verdict.text);
  say($("summary"), verdict.summary);
  show($("problems"), found.problems.length > 0);
  problemRows.show(found.problems.slice(0, ProblemsCap), each => each.id);
  const more = found.problems.length - ProblemsCap;
  show($("problems-more"), more > 0);
  say($("problems-more"), more > 0 ? `And ${more} more in the tables below.` : "");
  const title = `${verdict.short} · ${state.status?.service ?? "ResilientHost"}`;
  const lost = state.connection === "lost" ? "(stale) " : "";
  if (document.title !== lost + title) document.title = lost + title;
  setIcon(verdict.severity);
}

// ---- circuits -----------------------------------------------------------------------------------------------------

const visible = new IntersectionObserver(entries => {
  for (const entry of entries) {
    entry.target.row.seen = entry.isIntersecting;
    if (entry.isIntersecting) entry.target.row.refresh?.();
  }
}, { rootMargin: "200px" });

// Two seconds to a bar, the bars bound to the clock: one that has been drawn keeps its height while it moves on.
function sparkOf(circuit) {
  const paths = { calls: "", failed: "", refused: "", total: 0, most: 0 };
  const ring = circuit.ring;
  if (!ring) return paths;
  const bars = [];
  const first = second - Seconds + 1;
  for (let i = 0; i < Seconds; i++) {
    const at = first + i;
    const bar = Math.floor(at / 2) - Math.floor(first / 2);
    const slot = at % Seconds;
    bars[bar] ??= [0, 0, 0];
    bars[bar][0] += ring.calls[slot];
    bars[bar][1] += ring.failures[slot];
    bars[bar][2] += ring.refused[slot];
  }
  for (const bar of bars) paths.most = Math.max(paths.most, bar[0] + bar[2]);
  // A few calls are no mountain.
  const most = Math.max(4, paths.most);
  const offset = second % 2 === 0 ? 1 : 0;
  bars.forEach(([calls, failures, refused], i) => {
    const x = i * 2 + offset - 1;
    const block = (from, to) => `M${x} ${(28 - from / most * 28).toFixed(1)}V${(28 - to / most * 28).toFixed(1)}h1.5V${(28 - from / most * 28).toFixed(1)}z`;
    if (failures) paths.failed += block(0, failures);
    if (calls > failures) paths.calls += block(failures, calls);
    if (refused) paths.refused += block(calls, calls + refused);
    paths.total += failures;
  });
  return paths;
}

function buildCircuit(circuit) {
  const element = make("tr");
  const sign = glyph("s-closed");
  const [name, word, next, traffic, errors, slow] = [make("b"), make("span", "word"), make("span", "next"), make("span"), make("span"), make("span")];
  const latencies = [make("span"), make("span"), make("span")];
  const disc = draw("circle", { cx: 17, cy: 17, r: 1 });
  const [calls, failed, refused] = [draw("path", { class: "calls" }), draw("path", { class: "failed" }), draw("path", { class: "refused" })];
  const spark = draw("svg", { class: "bars", viewBox: "0 0 120 28", preserveAspectRatio: "none", role: "img" }, calls, refused, failed);
  const inFlight = make("span");
  const limit = make("span", "limit");
  const fill = make("i");
  const meter = make("span", "meter", fill);
  const columns = {
    circuit: cell("circuit", null, "rowheader"), traffic: cell("n traffic", "Traffic"), spark: cell("spark"), errors: cell("n errors", "Errors"), slow: cell("n slow", "Slow"),
    p50: cell("n p50", "p50"), p90: cell("n p90", "p90"), p99: cell("n p99", "p99"), inFlight: cell("n flight", "In flight"), act: cell("act"),
  };
  columns.circuit.append(sign.svg, make("span", "two", name, make("span", "detail", word, next)));
  columns.traffic.append(make("span", "sized", draw("svg", { class: "disc", viewBox: "0 0 34 34", "aria-hidden": "true" }, disc), traffic));
  columns.spark.append(spark);
  columns.errors.append(errors);
  columns.slow.append(slow);
  [columns.p50, columns.p90, columns.p99].forEach((each, i) => each.append(latencies[i]));
  columns.inFlight.append(make("span", "of", inFlight, limit), meter);
  if (mayOperate) {
    const button = make("button", "", "Operate");
    button.type = "button";
    button.setAttribute("aria-label", `Operate ${nameOf(circuit)}`);
    button.addEventListener("click", () => openOperate({ circuit: circuit.id }));
    columns.act.append(button);
  }
  element.append(...Object.values(columns));

  let shown = circuit;
  const row = {
    element,
    seen: false,
    update(each) {
      shown = each;
      mark(element, "data-kind", each.kind);
      sign.set(Kinds[each.kind].symbol);
      say(name, nameOf(each));
      mark(name, "title", nameOf(each));
      say(word, wordOf(each));
      mark(word, "title", nextOf(each) || null);
      say(next, nextOf(each));
      if (each.flash) {
        each.flash = false;
        element.classList.remove("flash");
        requestAnimationFrame(() => element.classList.add("flash"));
      }
      if (row.seen || !row.fresh) row.refresh();
    },
    refresh() {
      row.fresh = true;
      const each = shown;
      const perSecond = each.traffic;
      say(traffic, rate(perSecond));
      // The area tells the traffic, by decades: from a call now and then to thousands per second all stay legible.
      mark(disc, "r", (!perSecond ? 1.5 : Math.min(16, 3 + 3.4 * Math.log10(1 + perSecond * 4))).toFixed(1));
      const measured = each.errors.calls > 0;
      const { ratio } = each.errors;
      say(errors, measured ? share(ratio) : "–");
      mark(columns.errors, "data-bad", measured && ratio >= 0.1 ? 2 : measured && ratio >= 0.01 ? 1 : null);
      say(slow, each.calls ? share(each.slowCallRatio) : "–");
      mark(columns.slow, "data-bad", each.calls && each.slowCallRatio >= 0.5 ? 2 : each.calls && each.slowCallRatio >= 0.1 ? 1 : null);
      say(latencies[0], time(each.p50Seconds));
      say(latencies[1], time(each.p90Seconds));
      say(latencies[2], time(each.p99Seconds));
      const bulkhead = state.bulkheads.get(each.name);
      say(inFlight, bulkhead ? grouped.format(bulkhead.inFlight) : "–");
      say(limit, bulkhead?.limit ? ` / ${grouped.format(bulkhead.limit)}` : "");
      const used = bulkhead?.limit ? Math.min(1, bulkhead.inFlight / bulkhead.limit) : 0;
      const transform = `scaleX(${used.toFixed(3)})`;
      if (fill.style.transform !== transform) fill.style.transform = transform;
      show(meter, Boolean(bulkhead?.limit));
      mark(columns.inFlight, "data-bad", used >= 0.95 ? 2 : used >= 0.8 ? 1 : null);
      const paths = sparkOf(each);
      mark(calls, "d", paths.calls);
      mark(failed, "d", paths.failed);
      mark(refused, "d", paths.refused);
      mark(spark, "aria-label", paths.most ? `Last two minutes: ${many(paths.total, "error")}, at most ${rate(paths.most / 2)}` : "Last two minutes: no calls");
    },
    removed() { visible.unobserve(element); },
  };
  element.row = row;
  visible.observe(element);
  return row;
}

const board = new Rows($("board-rows"), buildCircuit);
let boardAll = false;
let boardOrder = [];
let boardSorted = 0;

// Rows do not move under the pointer or the focus; only a circuit that gets into trouble moves at once.
function orderBoard() {
  const circuits = [...state.circuits.values()];
  const key = each => `${Kinds[each.kind].rank}`;
  const signature = circuits.map(each => `${each.id}${key(each)}`).join();
  const busy = $("board").matches(":hover, :focus-within");
  const due = performance.now() - boardSorted > 20000 && !busy;
  if (signature !== orderBoard.signature || due || !boardSorted) {
    orderBoard.signature = signature;
    boardSorted = performance.now();
    const weight = new Map(circuits.map(each => [each.id, (each.traffic ?? each.calls / 10) * (1 + 50 * each.errors.ratio)]));
    boardOrder = circuits.sort((a, b) => Kinds[a.kind].rank - Kinds[b.kind].rank || weight.get(b.id) - weight.get(a.id) || (a.name < b.name ? -1 : 1));
  }
  return boardOrder;
}

function renderCircuits() {
  const wanted = $("circuits-find").value.trim().toLowerCase();
  const circuits = orderBoard().filter(each => state.circuits.has(each.id));
  const found = wanted ? circuits.filter(each => nameOf(each).toLowerCase().includes(wanted)) : circuits;
  const shown = boardAll ? found : found.slice(0, BoardCap);
  board.show(shown, each => each.id);
  const bad = circuits.filter(each => Kinds[each.kind].rank < 4).length;
  say($("circuits-count"), circuits.length ? bad ? `${bad} of ${grouped.format(circuits.length)} not closed` : `${grouped.format(circuits.length)}, none open` : "");
  show($("circuits-empty"), found.length === 0);
  say($("circuits-empty"), wanted ? "No circuit has this in its name." : "No circuit yet: the first call of an endpoint makes one.");
  showAll($("circuits-all"), found.length, BoardCap, boardAll, "circuits");
}

function showAll(button, count, cap, all, what) {
  show(button, count > cap);
  if (count > cap) say(button, all ? `Show the first ${cap} only` : `Show all ${grouped.format(count)} ${what}`);
}

// ---- level, signals, workers --------------------------------------------------------------------------------------

const signalName = name => SignalTexts[name]?.[0] ?? capital(name.replaceAll("_", " "));
const signalUnit = signal => SignalTexts[signal.name]?.[1] ?? "number";
const words = text => text.replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ").toLowerCase();

const ladder = Levels.toReversed().map(name => {
  const item = make("li", "", make("b", "", capital(name)), make("span", "", LevelTexts[name]));
  item.dataset.level = name;
  return item;
});
$("ladder").replaceChildren(...ladder);

const signalRows = new Rows($("signals"), () => {
  const element = make("tr");
  const columns = [cell("", null, "rowheader"), cell("n"), cell("gauge"), cell("n limits")];
  const [fill, exit, enter] = [draw("rect", { class: "fill", y: 5, height: 6, width: 0 }), draw("path", { class: "exit" }), draw("path", { class: "enter" })];
  columns[2].append(draw("svg", { viewBox: "0 0 100 16", preserveAspectRatio: "none", "aria-hidden": "true" }, draw("rect", { class: "track", y: 5, height: 6, width: 100 }), fill, exit, enter));
  element.append(...columns);
  return {
    element,
    update(signal) {
      const unit = signalUnit(signal);
      say(columns[0], signalName(signal.name));
      say(columns[1], figure(signal.value, unit));
      say(columns[3], `${range(figure(signal.exit, unit), figure(signal.enter, unit))}`);
      const end = signal.enter * 1.25;
      const at = value => Math.min(100, Math.max(0, value / end * 100)).toFixed(1);
      mark(fill, "width", at(signal.value ?? 0));
      mark(exit, "d", `M${at(signal.exit)} 2V14`);
      mark(enter, "d", `M${at(signal.enter)} 0V16`);
      mark(element, "data-bad", !signal.decides || signal.value === null ? null : signal.value >= signal.enter ? 2 : signal.value > signal.exit ? 1 : null);
      mark(element, "data-silent", signal.decides ? null : "");
      mark(element, "title", signal.decides ? null : "Shown only: it has no say in the level");
    },
  };
});

function renderLevel() {
  const level = state.level;
  for (const item of ladder) {
    mark(item, "aria-current", item.dataset.level === level.level ? "true" : null);
    mark(item, "data-signalled", level.overridden && item.dataset.level === level.signalledLevel ? "" : null);
  }
  const until = level.overriddenUntil ? ` until ${minute(level.overriddenUntil)}` : "";
  say($("level-why"), level.overridden ? `Set by hand${until}` : level.since ? `For ${span(since(level.since))}` : "");
  signalRows.show([...state.signals.values()].sort((a, b) => Number(b.decides) - Number(a.decides)), each => each.name);
}

const workerRows = new Rows($("worker-rows"), () => {
  const element = make("tr");
  const sign = glyph("s-closed");
  const [name, detail] = [make("b"), make("span", "detail")];
  const columns = [cell("broken", null, "rowheader"), cell("n", "Restarts"), cell("n", "Heard")];
  columns[0].append(sign.svg, make("span", "two", name, detail));
  element.append(...columns);
  return {
    element,
    update(worker) {
      const [word, kind] = WorkerKinds[worker.state] ?? [worker.state, "off"];
      mark(element, "data-kind", kind);
      sign.set(Kinds[kind].symbol);
      say(name, worker.name);
      const failure = worker.lastFailure && worker.state !== "running" ? `: ${worker.lastFailure.split(".").at(-1)}` : "";
      say(detail, `${word}${failure}${worker.lastActivity && !failure ? ` · ${worker.lastActivity}` : ""}`);
      mark(detail, "title", detail.textContent);
      say(columns[1], grouped.format(worker.restarts));
      say(columns[2], worker.lastHeartbeat ? coarse(since(worker.lastHeartbeat)) : "–");
    },
  };
});

// Ages in the tables move in steps, so that they do not tick in every row.
const coarse = seconds => seconds < 10 ? "now" : seconds < 60 ? `${Math.floor(seconds / 10) * 10} s` : span(Math.floor(seconds / 60) * 60);

function renderWorkers() {
  const workers = [...state.workers.values()].sort((a, b) => WorkerRanks.indexOf(a.state) - WorkerRanks.indexOf(b.state) || (a.name < b.name ? -1 : 1));
  workerRows.show(workers, each => each.name);
  const bad = workers.filter(each => WorkerRanks.indexOf(each.state) < 3).length;
  say($("workers-count"), workers.length ? bad ? `${bad} of ${workers.length} in trouble` : `${workers.length}` : "");
  show($("workers-empty"), workers.length === 0);
  $("worker-rows").parentElement.hidden = workers.length === 0;
}

// ---- the last hour ------------------------------------------------------------------------------------------------

const StripHeights = { closed: 0, running: 0, normal: 0, halfOpen: 10, open: 16, isolated: 16, reduced: 6, essential: 11, survival: 16, failed: 16, stuck: 10, backingOff: 10, paused: 5, stopping: 5 };
const StripWords = { halfOpen: "half-open", backingOff: "backing off" };

const stripRows = new Rows($("strips"), () => {
  const [name, group] = [make("span", "name"), draw("g")];
  const svg = draw("svg", { viewBox: "0 0 3600 18", preserveAspectRatio: "none", role: "img" }, draw("path", { class: "rest", d: "M0 17H3600" }), group);
  const element = make("li", "", name, svg);
  return {
    element,
    update(strip) {
      say(name, strip.name);
      mark(name, "title", strip.name);
      mark(element, "data-what", strip.what);
      const end = now();
      const rects = [];
      const sums = new Map();
      for (const segment of strip.segments) {
        const height = StripHeights[segment.state] ?? 0;
        const to = segment.to ? Date.parse(segment.to) : end;
        const x = Math.max(0, Hour - (end - Date.parse(segment.from)) / 1000);
        const right = Hour - (end - to) / 1000;
        if (height === 0 || right <= 0) continue;
        rects.push(draw("rect", { class: `t-${segment.state}`, x: x.toFixed(0), y: 17 - height, width: Math.max(8, right - x).toFixed(0), height }));
        const sum = sums.get(segment.state) ?? { times: 0, seconds: 0 };
        sums.set(segment.state, { times: sum.times + 1, seconds: sum.seconds + right - x });
      }
      group.replaceChildren(...rects);
      const told = [...sums].map(([name, sum]) => `${StripWords[name] ?? name} ${sum.times === 1 ? "once" : `${sum.times} times`}, ${span(sum.seconds)}`);
      mark(svg, "aria-label", `${strip.name}: ${told.length ? told.join("; ") : "undisturbed"}`);
      mark(svg, "data-told", told.join("; "));
    },
  };
});

function renderStrips() {
  const due = performance.now() - (renderStrips.at ?? -Infinity) > 5000 || stripsMoved;
  if (!due) return;
  renderStrips.at = performance.now();
  stripsMoved = false;
  const from = now() - Hour * 1000;
  const moved = segments => segments.some(each => StripHeights[each.state] > 0 && (!each.to || Date.parse(each.to) > from));
  const strips = [{ what: "level", name: "Service level", segments: state.strips.level }];
  let still = 0;
  const circuits = [...state.strips.circuits].filter(([, segments]) => moved(segments) || (still++, false));
  circuits.sort(([, a], [, b]) => Number(StripHeights[b.at(-1).state] > 0) - Number(StripHeights[a.at(-1).state] > 0) || Date.parse(b.at(-1).from) - Date.parse(a.at(-1).from));
  for (const [name, segments] of circuits.slice(0, 24)) strips.push({ what: "circuit", name, segments });
  for (const [name, segments] of state.strips.workers) if (moved(segments)) strips.push({ what: "worker", name: `Worker ${name}`, segments });
  stripRows.show(strips, each => `${each.what} ${each.name}`);
  const hidden = Math.max(0, circuits.length - 24);
  say($("hour-count"), [hidden ? `${hidden} more changed` : "", still ? `${many(still, "circuit")} closed throughout` : ""].filter(Boolean).join(", "));
  const marks = [60, 50, 40, 30, 20, 10, 0].map(ago => make("span", "", ago === 0 ? "now" : minutes.format(now() - ago * 60000)));
  $("scale").replaceChildren(...marks);
}

// ---- golden signals -----------------------------------------------------------------------------------------------

// An axis begins at zero and has a least end: a single error in an hour is no mountain.
const Charts = [
  { title: "Rate", unit: value => rate(value), series: [["rate", "calls", "--chart-calls", true], ["refused", "refused", "--chart-refused"]], read: s => s.rate, least: () => 1 },
  { title: "Errors", unit: value => rate(value), series: [["errors", "errors", "--chart-errors", true]], read: s => s.errors, aside: s => share(s.rate ? s.errors / s.rate : 0), bad: s => s.rate > 0 && s.errors / s.rate >= 0.01, least: () => Math.max(1, 0.02 * Math.max(...state.golden.rate)) },
  { title: "Duration", unit: value => time(value), series: [["p99", "p99", "--chart-p99"], ["p90", "p90", "--chart-p90"], ["p50", "p50", "--chart-p50"]], read: s => s.p99Seconds, aside: s => `p50 ${time(s.p50Seconds)}`, label: "p99", least: () => 0.001 },
  { title: "Saturation", unit: value => share(value), series: [["saturation", "of the threshold", "--chart-saturation", true]], read: s => s.saturation, aside: s => `${grouped.format(Math.round(s.inFlight))} in flight`, bad: s => s.saturation >= 1, line: 1, least: () => 1.15 },
];

let plots = null;
let UPlot = null;

function buildCharts() {
  const style = getComputedStyle(root);
  const colour = name => style.getPropertyValue(name).trim();
  const font = `11px ${style.fontFamily}`;
  plots?.forEach(each => each.plot.destroy());
  const holder = $("charts");
  holder.replaceChildren();
  plots = Charts.map(chart => {
    const [value, aside, canvas] = [make("b", "value", "–"), make("span", "aside"), make("div", "canvas")];
    const element = make("figure", "", make("figcaption", "", make("span", "title", chart.title), value, aside), canvas);
    canvas.setAttribute("role", "img");
    holder.append(element);
    let hovered = null;
    const options = {
      width: Math.max(120, canvas.clientWidth), height: 128, legend: { show: false }, padding: [8, 18, 0, 0],
      cursor: { sync: { key: "golden", setSeries: false }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(chart.least(), (max || 0) * 1.1)] } },
      axes: [
        { stroke: colour("--muted"), font, size: 24, gap: 4, grid: { show: false }, ticks: { show: false }, space: 56, incrs: [1, 2, 5, 10, 15, 20, 30, 60].map(each => each * 60), values: (_, splits) => splits.map(at => minutes.format(at * 1000)) },
        { stroke: colour("--muted"), font, size: 52, gap: 4, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, space: 34, values: (_, splits) => splits.map(each => each === 0 ? "0" : chart.unit(each)) },
      ],
      series: [{}, ...chart.series.map(([, label, name, filled]) => ({ label, stroke: colour(name), width: 1.5, fill: filled ? `${colour(name)}26` : undefined, points: { show: false }, spanGaps: true }))],
      hooks: {
        setCursor: [plot => { hovered = plot.cursor.idx ?? null; renderFigures(); }],
        draw: [plot => {
          if (!chart.line) return;
          const y = plot.valToPos(chart.line, "y", true);
          plot.ctx.save();
          plot.ctx.strokeStyle = colour("--open");
          plot.ctx.setLineDash([4, 4]);
          plot.ctx.beginPath();
          plot.ctx.moveTo(plot.bbox.left, y);
          plot.ctx.lineTo(plot.bbox.left + plot.bbox.width, y);
          plot.ctx.stroke();
          plot.ctx.restore();
        }],
      },
    };
    const plot = new UPlot(options, dataOf(chart), canvas);
    return { chart, plot, canvas, value, aside, element, hovered: () => hovered };
  });
}

const dataOf = chart => [state.golden.times, ...chart.series.map(([name]) => state.golden[name])];

function renderFigures() {
  if (!plots) return;
  const golden = state.golden;
  for (const { chart, canvas, value, aside, element, hovered } of plots) {
    const index = hovered();
    const last = golden.times.length - 1;
    const at = i => ({ rate: golden.rate[i], errors: golden.errors[i], refused: golden.refused[i], p50Seconds: golden.p50[i], p90Seconds: golden.p90[i], p99Seconds: golden.p99[i], inFlight: golden.inFlight[i], saturation: golden.saturation[i] });
    const service = index !== null && index >= 0 && index <= last ? at(index) : state.service ?? at(last);
    if (!service || service.rate === undefined) continue;
    const told = `${chart.label ? `${chart.label} ` : ""}${chart.unit(chart.read(service) ?? null) ?? "–"}`;
    say(value, chart.read(service) === null ? "–" : told);
    const beside = index !== null && index >= 0 && index <= last ? clock.format(golden.times[index] * 1000) : chart.aside ? chart.aside(service) : service.refused ? `${rate(service.refused)} refused` : "";
    say(aside, beside);
    mark(element, "data-bad", chart.bad?.(service) ? 2 : null);
    if (index === null) mark(canvas, "aria-label", `${chart.title} over the last hour, now ${told}`);
  }
}

async function renderCharts() {
  show($("golden-off"), !state.historyKept);
  if (!state.golden || !state.golden.times.length) return;
  if (!UPlot) {
    if (renderCharts.loading) return;
    renderCharts.loading = true;
    UPlot = (await import("./uPlot.esm.js")).default;
    buildCharts();
    new ResizeObserver(() => plots.forEach(each => {
      const width = Math.max(120, each.canvas.clientWidth);
      if (width !== each.plot.width) each.plot.setSize({ width, height: 128 });
    })).observe($("charts"));
  }
  if (state.golden.dirty) {
    state.golden.dirty = false;
    plots.forEach(each => each.plot.setData(dataOf(each.chart)));
  }
  renderFigures();
}

// ---- outbound, bulkheads, fallbacks -------------------------------------------------------------------------------

function lister(body, count, columnsOf) {
  return new Rows(body, () => {
    const element = make("tr");
    let columns = null;
    return {
      element,
      update(item) {
        const told = columnsOf(item);
        if (!columns) {
          columns = told.map(([, className, label], i) => cell(className, label, i === 0 ? "rowheader" : "cell"));
          element.append(...columns);
        }
        told.forEach(([text, , , bad], i) => {
          say(columns[i], text);
          mark(columns[i], "data-bad", bad);
        });
        mark(element, "data-kind", item.kind);
      },
    };
  });
}

const clientRows = new Rows($("client-rows"), () => {
  const element = make("tr");
  const sign = glyph("s-closed");
  const [name, authority, word] = [make("b"), make("span", "detail"), make("span")];
  const columns = [cell("broken", null, "rowheader"), cell("state", "State"), cell("n", "Errors"), cell("n", "Calls"), cell("n", "In flight"), cell("n", "Retries 10 s"), cell("certificate", "Certificate")];
  columns[0].append(make("span", "two", name, authority));
  columns[1].append(sign.svg, word);
  element.append(...columns);
  return {
    element,
    update({ client, each }) {
      const circuit = { state: each.state, mode: state.circuits.get(idOf(`http:${client.name}`))?.mode ?? "enforce" };
      circuit.kind = kindOf(circuit);
      mark(element, "data-kind", circuit.kind);
      sign.set(Kinds[circuit.kind].symbol);
      say(word, wordOf(circuit) + (each.retryAfterSeconds ? `, ${span(each.retryAfterSeconds)} left` : ""));
      say(name, client.name);
      say(authority, each.authority);
      say(columns[2], each.calls ? share(each.failureRatio) : "–");
      mark(columns[2], "data-bad", each.calls && each.failureRatio >= 0.1 ? 2 : each.calls && each.failureRatio >= 0.01 ? 1 : null);
      say(columns[3], grouped.format(each.calls));
      say(columns[4], `${grouped.format(each.inFlight)}${each.limit ? ` / ${grouped.format(each.limit)}` : ""}${each.queued ? ` + ${each.queued} waiting` : ""}`);
      say(columns[5], grouped.format(each.retriesLately));
      const left = each.certificateExpiresAt ? -since(each.certificateExpiresAt) : null;
      say(columns[6], each.certificateFault ? capital(words(each.certificateFault)) : left === null ? each.authority.startsWith("https") ? "Not seen yet" : "None (plain HTTP)" : left < 0 ? `Expired ${day.format(Date.parse(each.certificateExpiresAt))}` : left < SoonDays * 86400 ? `Expires in ${span(left)}, ${day.format(Date.parse(each.certificateExpiresAt))}` : `Until ${day.format(Date.parse(each.certificateExpiresAt))}`);
      mark(columns[6], "data-bad", each.certificateFault || left !== null && left < 7 * 86400 ? 2 : left !== null && left < SoonDays * 86400 ? 1 : null);
    },
  };
});

const bulkheadRows = lister($("bulkhead-rows"), null, each => {
  const used = each.limit ? each.inFlight / each.limit : 0;
  return [[each.name, "name"], [grouped.format(each.inFlight), "n", "In flight", used >= 0.95 ? 2 : used >= 0.8 ? 1 : null], [each.limit ? `${grouped.format(each.limit)}${each.adaptive && each.adaptive !== "none" ? " (adaptive)" : ""}` : "none", "n", "Limit"], [grouped.format(each.queued), "n", "Queued", each.queued ? 1 : null], [grouped.format(each.refused), "n", "Refused"]];
});

const fallbackRows = lister($("fallback-rows"), null, each => [[each.endpoint, "name"], [grouped.format(each.delegate), "n", "Own"], [grouped.format(each.stale), "n", "Stale"], [grouped.format(each.failed), "n", "Failed", each.failed ? 1 : null]]);

function renderLists() {
  const authorities = [...state.clients.values()].flatMap(client => client.authorities.map(each => ({ client, each })));
  const rank = ({ each }) => each.state === "open" ? 0 : each.state === "closed" ? 2 : 1;
  authorities.sort((a, b) => rank(a) - rank(b) || (a.client.name < b.client.name ? -1 : a.client.name > b.client.name ? 1 : b.each.calls - a.each.calls));
  clientRows.show(authorities.slice(0, 100), ({ client, each }) => `${client.name} ${each.authority}`);
  say($("clients-count"), state.clients.size ? `${many(state.clients.size, "client")}, ${many(authorities.length, "authority", "authorities")}` : "");
  show($("clients-empty"), authorities.length === 0);
  say($("clients-empty"), state.clients.size ? `No call yet (${[...state.clients.keys()].join(", ")}).` : "No outbound client.");
  $("client-rows").parentElement.hidden = authorities.length === 0;

  const fullness = each => each.limit ? each.inFlight / each.limit : 0;
  const bulkheads = [...state.bulkheads.values()].filter(each => each.limit || each.inFlight);
  if (performance.now() - (renderLists.sorted ?? -Infinity) > 10000) {
    renderLists.sorted = performance.now();
    renderLists.order = new Map(bulkheads.sort((a, b) => fullness(b) - fullness(a) || (a.name < b.name ? -1 : 1)).map((each, i) => [each.name, i]));
  }
  bulkheads.sort((a, b) => (renderLists.order.get(a.name) ?? 1e9) - (renderLists.order.get(b.name) ?? 1e9));
  bulkheadRows.show(bulkheads.slice(0, 20), each => each.name);
  const unlimited = state.bulkheads.size - bulkheads.length;
  say($("bulkheads-count"), unlimited ? `${unlimited} more only measure` : "");
  show($("bulkheads-empty"), bulkheads.length === 0);
  $("bulkhead-rows").parentElement.hidden = bulkheads.length === 0;

  const fallbacks = [...state.fallbacks.values()].sort((a, b) => b.delegate + b.stale - a.delegate - a.stale || (a.endpoint < b.endpoint ? -1 : 1));
  fallbackRows.show(fallbacks.slice(0, 20), each => each.endpoint);
  show($("fallbacks-empty"), fallbacks.length === 0);
  $("fallback-rows").parentElement.hidden = fallbacks.length === 0;
}

// ---- events -------------------------------------------------------------------------------------------------------

let eventsAll = false;

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  // Plain HTTP has no clipboard of that kind.
  const area = make("textarea", "unseen");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

const eventRows = new Rows($("event-rows"), event => {
  const element = make("tr");
  mark(element, "data-level", event.level);
  const columns = [cell("time"), cell("id", "Event", "rowheader"), cell("message"), cell("trace")];
  const stamp = make("time", "", clock.format(Date.parse(event.at)));
  stamp.dateTime = event.at;
  stamp.title = event.at;
  columns[0].append(stamp);
  columns[1].append(make("b", "", String(event.eventId)), make("span", "level", event.level === "information" ? "" : capital(event.level)));
  columns[1].title = `Event ${event.eventId} in the runbook`;
  columns[2].append(event.message ?? words(event.name));
  if (event.traceId) {
    const button = make("button", "copy", make("code", "", event.traceId));
    button.type = "button";
    button.setAttribute("aria-label", `Copy trace id ${event.traceId}`);
    button.title = "Copy the trace id";
    button.addEventListener("click", async () => {
      try {
        await copy(event.traceId);
        tell(`Copied trace id ${event.traceId}.`, true);
      } catch {
        tell("The browser did not allow to copy.", false);
      }
    });
    columns[3].append(button);
  } else columns[3].append("–");
  element.append(...columns);
  return { element, update() {} };
});

function renderEvents() {
  const events = state.events.toReversed();
  eventRows.show(eventsAll ? events : events.slice(0, EventsCap), each => each.id);
  show($("events-empty"), events.length === 0);
  say($("events-empty"), state.status.eventsKept === false ? "Log events do not reach this page: the logger factory hands them to no provider (with Serilog: writeToProviders: true)." : "Nothing happened yet.");
  $("event-rows").parentElement.hidden = events.length === 0;
  showAll($("events-all"), events.length, EventsCap, eventsAll, "events");
}

// ---- configuration ------------------------------------------------------------------------------------------------

let optionsAll = false;
const optionRows = lister($("configuration-rows"), null, each => [[each.key, "key"], [each.value ?? "", "value", "Value"], [each.source, "source", "Source"], [each.changedAt ? moment(each.changedAt) : "–", "changed", "Changed"]]);

const moment = iso => since(iso) < 86400 ? clock.format(Date.parse(iso)) : day.format(Date.parse(iso));

function renderConfiguration() {
  const configuration = state.configuration;
  if (!configuration) return;
  const wanted = $("configuration-find").value.trim().toLowerCase();
  const matching = configuration.entries.filter(each => !wanted || each.key.toLowerCase().includes(wanted) || String(each.value).toLowerCase().includes(wanted) || each.source.toLowerCase().includes(wanted));
  // What somebody chose says more than what nobody touched.
  const chosen = matching.filter(each => each.source !== "default");
  const entries = wanted || optionsAll ? [...chosen, ...matching.filter(each => each.source === "default")] : chosen;
  optionRows.show(entries.map(each => ({ ...each, kind: each.source === "default" ? "off" : null })), each => each.key);
  show($("configuration-empty"), entries.length === 0);
  const defaults = matching.length - chosen.length;
  show($("configuration-all"), defaults > 0 && !wanted);
  say($("configuration-all"), optionsAll ? "Hide the defaults" : `Show ${many(defaults, "default")}`);
  const changed = configuration.entries.map(each => each.changedAt).filter(Boolean).sort((a, b) => Date.parse(a) - Date.parse(b)).at(-1);
  say($("configuration-when"), changed ? `Last change applied ${moment(changed)}` : "As at the start");
  const refused = configuration.lastRefusal;
  const note = $("configuration-refused");
  show(note, Boolean(refused));
  if (refused && note.dataset.at !== configuration.lastRefusedAt) {
    note.dataset.at = configuration.lastRefusedAt;
    note.replaceChildren(make("p", "", make("b", "", `A reload was refused at ${moment(configuration.lastRefusedAt)}. The last good configuration serves.`)), make("ul", "", ...configuration.lastRefusal.map(each => make("li", "", each))));
  }
}

// ---- operating ----------------------------------------------------------------------------------------------------

const dialog = $("operate");
let confirming = false;

function openOperate(subject) {
  const select = $("operate-subject");
  const circuits = [...state.circuits.values()].sort((a, b) => Kinds[a.kind].rank - Kinds[b.kind].rank || (a.name < b.name ? -1 : 1));
  const option = (value, text) => { const each = make("option", "", text); each.value = value; return each; };
  select.replaceChildren(option("level", "Service level"), ...circuits.map(each => option(each.id, nameOf(each))));
  const asked = subject?.circuit ?? (subject?.level || !circuits.length ? "level" : circuits[0].id);
  select.value = asked;
  if (asked !== "level") {
    const kind = state.circuits.get(asked)?.kind;
    $("operate-form").elements.action.value = kind === "closed" ? "isolate" : "reset";
  }
  stepBack();
  renderOperate();
  dialog.showModal();
}

function stepBack() {
  confirming = false;
  say($("operate-problem"), "");
  show($("operate-ask"), true);
  show($("operate-confirm"), false);
  show($("operate-back"), false);
  say($("operate-go"), "Continue");
  $("operate-go").classList.remove("danger");
}

function chosen() {
  const form = $("operate-form").elements;
  const isLevel = $("operate-subject").value === "level";
  const circuit = isLevel ? null : state.circuits.get($("operate-subject").value);
  const duration = $("operate-duration");
  return { isLevel, circuit, action: form.action.value, level: form.level.value, duration: duration.value, durationText: duration.selectedOptions[0].textContent, instance: state.status.instance };
}

function renderOperate() {
  const { isLevel, circuit, action, level } = chosen();
  show($("operate-circuit"), !isLevel);
  show($("operate-level"), isLevel);
  show($("operate-for"), isLevel ? level !== "signals" : action === "force-open");
  say($("operate-now"), isLevel ? `Now ${capital(state.level.level)}${state.level.overridden ? ", set by hand" : ""}.` : circuit ? `Now ${wordOf(circuit).toLowerCase()}${nextOf(circuit) ? `, ${nextOf(circuit)}` : ""}. ${rate(circuit.traffic)}.` : "This circuit is gone.");
}

function effectOf({ isLevel, circuit, action, level, durationText, instance }) {
  if (isLevel) return level === "signals" ? `The signals decide about the service level of ${instance} again.` : `${instance} goes to ${capital(level)} for ${durationText}: ${LevelTexts[level].charAt(0).toLowerCase()}${LevelTexts[level].slice(1)}.`;
  const name = nameOf(circuit);
  const only = " Other replicas are not touched.";
  if (action !== "reset" && (circuit.mode === "shadow" || circuit.mode === "disabled")) return `${name} on ${instance} will be shown as ${action === "isolate" ? "isolated" : "open"}, but in mode ${capital(circuit.mode)} it refuses nothing.${only}`;
  if (action === "isolate") return `Every call to ${name} on ${instance} is refused until somebody resets it.${only}`;
  if (action === "force-open") return `Every call to ${name} on ${instance} is refused for ${durationText}, then it half-opens.${only}`;
  return `${name} on ${instance} closes now, and every call goes through, whatever made it open.${only}`;
}

function verbOf({ isLevel, circuit, action, level }) {
  if (isLevel) return level === "signals" ? "Give the level back" : `Set ${capital(level)}`;
  return `${action === "isolate" ? "Isolate" : action === "force-open" ? "Force open" : "Reset"} ${nameOf(circuit)}`;
}

async function operate(choice) {
  const { isLevel, circuit, action, level, duration, instance } = choice;
  const path = isLevel ? "level" : `circuit-breakers/${action}`;
  const body = isLevel
    ? { level: level === "signals" ? null : level, instance, ...(level === "signals" ? {} : { expiresIn: duration }) }
    : { name: circuit.name, instance, ...(circuit.key ? { key: circuit.key } : {}), ...(action === "force-open" ? { duration } : {}) };
  const response = await ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (response.ok) return response.json();
  let detail = null;
  try {
    detail = (await response.json()).detail;
  } catch {
    // Not every refusal is a problem document.
  }
  // Rights are one reason. The other is a proxy that passes another Host on than the browser asked for.
  throw new Error(detail ?? (response.status === 403 ? "The service refused it: you may not operate it (any more), or a proxy between does not pass the Host on." : `The service answered ${response.status}.`));
}

if (mayOperate) {
  root.classList.add("operates");
  show($("operate-open"), true);
  $("operate-open").addEventListener("click", () => openOperate(null));
  $("operate-form").addEventListener("change", renderOperate);
  $("operate-cancel").addEventListener("click", () => dialog.close());
  $("operate-back").addEventListener("click", () => {
    stepBack();
    $("operate-subject").focus();
  });
  $("operate-form").addEventListener("submit", async event => {
    event.preventDefault();
    const choice = chosen();
    if (!choice.isLevel && !choice.circuit) return say($("operate-problem"), "This circuit is gone.");
    if (!confirming) {
      confirming = true;
      say($("operate-effect"), effectOf(choice));
      show($("operate-ask"), false);
      show($("operate-confirm"), true);
      show($("operate-back"), true);
      say($("operate-go"), verbOf(choice));
      $("operate-go").classList.toggle("danger", choice.isLevel ? choice.level !== "signals" && choice.level !== "normal" : choice.action !== "reset");

      // Not to the button: an impatient second press of a key must not confirm what nobody has read.
      $("operate-effect").focus();
      return;
    }
    $("operate-go").disabled = true;
    try {
      const answer = await operate(choice);
      const circuit = choice.isLevel ? takeLevel(answer) : takeCircuit(answer);
      dialog.close();
      tell(`Done: ${choice.isLevel ? `service level ${capital(answer.level)}${answer.overridden ? ", set by hand" : ""}` : `${nameOf(circuit)} is ${wordOf(circuit).toLowerCase()}`}.`, true);
    } catch (error) {
      say($("operate-problem"), error instanceof TypeError ? "The service did not answer. Nothing is known to have changed." : error.message);
      tell(`Not done: ${$("operate-problem").textContent}`, false);
    } finally {
      $("operate-go").disabled = false;
    }
  });
}

// ---- drawing, at most once a second -------------------------------------------------------------------------------

let drawn = -Infinity;
let planned = 0;

function soon() {
  if (planned) return;
  const wait = Math.max(0, drawn + 1000 - performance.now());
  planned = setTimeout(() => {
    planned = 0;
    drawn = performance.now();
    render();
  }, wait);
}

function render() {
  if (!state.status) return;
  renderVerdict();
  // The title and the icon are all that a hidden page shows.
  if (document.hidden) return;
  say($("service"), state.status.service);
  say($("instance"), state.status.instance);
  say($("footer-instance"), state.status.instance);
  $("started").dateTime = state.status.startedAt;
  say($("started"), `${day.format(Date.parse(state.status.startedAt))}, ${clock.format(Date.parse(state.status.startedAt))} UTC`);
  renderCharts();
  renderCircuits();
  renderLevel();
  renderWorkers();
  renderStrips();
  renderLists();
  renderEvents();
  if (dialog.open && !confirming) renderOperate();
}

// ---- the connection -----------------------------------------------------------------------------------------------

let source = null;
let attempts = 0;
let polling = 0;
let pollEvery = 0;
let polls = 0;
let retry = 0;
let firstNews = 0;
let liveSince = 0;
let restSoon = 0;
let isResting = false;

class SignedOut extends Error {
  constructor() {
    super("Signed out: load the page again.");
  }
}

// A sign-in that has run out answers with a way to its own page, not with 401, where it is made of cookies.
async function ask(path, options = {}) {
  const response = await fetch(new URL(path, base), { cache: "no-store", redirect: "manual", ...options });
  if (response.type === "opaqueredirect" || response.status === 401) throw new SignedOut();
  return response;
}

function setConnection(name, text) {
  state.connection = name;
  const element = $("connection");
  mark(element, "data-state", name);
  say(element.firstElementChild, text);
  mark(document.body, "data-stale", name === "lost" ? "" : null);
}

function connect() {
  clearTimeout(retry);
  clearTimeout(firstNews);
  const stream = new EventSource(new URL("events", base));
  source = stream;

  // Something between may keep what it should pass on, or the browser may ask over a connection that nobody knows of any more: neither fails, and neither delivers.
  firstNews = setTimeout(() => lose(stream, "No news yet"), FirstNewsWithin);
  const on = (name, take) => stream.addEventListener(name, message => {
    state.seen = performance.now();
    take(JSON.parse(message.data));
  });
  on("status", status => {
    if (state.connection !== "live") liveSince = performance.now();
    clearTimeout(firstNews);
    stopPolling();
    setConnection("live", "Live");
    takeStatus(status);
    loadHistory();
    loadConfiguration();
  });
  on("heartbeat", () => {});
  on("circuitBreaker", takeCircuit);
  on("bulkhead", each => { state.bulkheads.set(each.name, keepUse(state.bulkheads.get(each.name), each)); soon(); });
  on("fallback", each => { state.fallbacks.set(each.endpoint, keepUse(state.fallbacks.get(each.endpoint), each)); soon(); });
  on("httpClient", each => { state.clients.set(each.name, each); soon(); });
  on("worker", takeWorker);
  on("isolatedTask", each => { each.live ? state.tasks.set(each.name, each) : state.tasks.delete(each.name); soon(); });
  on("signal", each => { state.signals.set(each.name, each); soon(); });
  on("level", takeLevel);
  on("sample", sample => {
    loading.forEach(samples => samples.push(sample));
    takeSample(sample);
  });
  on("event", takeEvent);
  stream.onerror = () => lose(stream, "Reconnecting");
}

// The browser would come back at once and for ever, and never after a refusal: both are ours to decide.
function lose(stream, why) {
  stream.close();
  if (stream !== source) return;
  source = null;
  clearTimeout(firstNews);
  // A stream that is cut again and again is no better than one that is refused.
  if (state.connection === "live" && performance.now() - liveSince > SteadyAfter) attempts = 0;
  const wait = Math.min(30000, 1000 * 2 ** attempts++) * (0.75 + Math.random() / 2);
  retry = setTimeout(connect, wait);
  if (state.connection === "live" || state.connection === "connecting") setConnection("waiting", why);
  startPolling(PollEvery);
}

// How long a stream that lives may be silent: there is a sample each second, or at least a sign of life.
const silenceAllowed = () => state.historyKept ? SamplesStop : 2500 * (state.status.heartbeatSeconds ?? 15);

function startPolling(every) {
  if (polling && pollEvery === every) return;
  clearInterval(polling);
  pollEvery = every;
  polling = setInterval(poll, every);
  poll();
}

function stopPolling() {
  clearInterval(polling);
  polling = 0;
}

// A browser has few connections to give, and hidden pages would keep them.
function rest() {
  isResting = true;
  clearTimeout(retry);
  clearTimeout(firstNews);
  source?.close();
  source = null;
  startPolling(PollHidden);
}

function wake() {
  clearTimeout(restSoon);
  if (!isResting) return;
  isResting = false;
  stopPolling();
  connect();
}

async function poll() {
  try {
    const status = await askSame("status", PollEvery);
    if (!polling) return;
    if (status) takeStatus(status);
    setConnection("polling", `Asking every ${pollEvery / 1000} s`);
    state.seen = performance.now();
    if (polls++ % 3 === 0) {
      loadHistory();
      loadConfiguration();
    }
  } catch (error) {
    if (!polling) return;
    setConnection("lost", error instanceof SignedOut ? "Signed out: load the page again" : state.seen ? `No connection, figures of ${clock.format(now() - (performance.now() - state.seen))} UTC` : "No connection");
    soon();
  }
}

// Behind a load balancer each answer may be another instance's. Two of them in one picture would be neither's.
async function askSame(path, timeout) {
  const wanted = state.status?.instance;
  let answer = null;
  for (let i = 0; i < 3; i++) {
    const response = await ask(path, { signal: AbortSignal.timeout(timeout) });
    if (response.status === 403) throw new SignedOut();
    if (!response.ok) throw new Error(String(response.status));
    answer = await response.json();
    const instance = answer.instance;
    if (!wanted || !instance || instance === wanted) {
      met.set(wanted ?? instance, performance.now());
      return answer;
    }
    met.set(instance, performance.now());
  }

  // One that has not been heard of for a while may be gone for good.
  const isGone = !source && performance.now() - (met.get(wanted) ?? -Infinity) > 3 * pollEvery;
  state.isMixed = !isGone;
  soon();
  return path === "status" && isGone ? answer : null;
}

const met = new Map();
const loading = new Set();

async function loadHistory() {
  const samples = [];
  loading.add(samples);
  try {
    const history = await askSame("history", 6 * PollEvery);
    if (history && (!history.instance || history.instance === state.status.instance)) takeHistory(history, samples);
  } catch {
    // The connection's state tells of it.
  } finally {
    loading.delete(samples);
  }
}

async function loadConfiguration() {
  try {
    const configuration = await askSame("configuration", 6 * PollEvery);
    if (!configuration || configuration.instance && configuration.instance !== state.status.instance) return;
    state.configuration = configuration;
    renderConfiguration();
    soon();
  } catch {
    // As above.
  }
}

// ---- theme --------------------------------------------------------------------------------------------------------

const Themes = ["auto", "light", "dark"];
let theme = "auto";
try {
  theme = Themes.find(each => each === localStorage.getItem("resilience-theme")) ?? "auto";
} catch {
  // Without storage a choice lasts as long as the page.
}

function applyTheme() {
  if (theme === "auto") root.removeAttribute("data-theme");
  else root.dataset.theme = theme;
  say($("theme"), `Theme: ${theme}`);
  if (plots) buildCharts();
}

$("theme").addEventListener("click", () => {
  theme = Themes[(Themes.indexOf(theme) + 1) % Themes.length];
  applyTheme();
  try {
    localStorage.setItem("resilience-theme", theme);
  } catch {
    // As above.
  }
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots && buildCharts());

// ---- start --------------------------------------------------------------------------------------------------------

giveRoles();
applyTheme();
for (const [id, then] of [["circuits-find", renderCircuits], ["configuration-find", renderConfiguration]]) $(id).addEventListener("input", then);
$("circuits-all").addEventListener("click", () => { boardAll = !boardAll; renderCircuits(); });
$("events-all").addEventListener("click", () => { eventsAll = !eventsAll; renderEvents(); });
$("configuration-all").addEventListener("click", () => { optionsAll = !optionsAll; renderConfiguration(); });
document.addEventListener("visibilitychange", () => {
  if (document.hidden) restSoon = setTimeout(rest, HiddenFor);
  else {
    wake();
    render();
  }
});
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", event => event.persisted && connect());

// Countdowns run on without news; a stream that has gone silent without an end is taken for dead.
setInterval(() => {
  const silence = performance.now() - state.seen;
  if (source && state.connection === "live" && silence > silenceAllowed()) lose(source, `No news for ${span(silence / 1000)}, reconnecting`);
  if (state.connection !== "lost") soon();
}, 1000);
connect();
