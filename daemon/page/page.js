"use strict";
// Asks the gateway once a second what it is doing, and shows it.  Whatever comes from it is shown as text.

const kKept = 60; // samples of a sparkline
const kSvg = "http://www.w3.org/2000/svg";

// ---- figures as text

const at = (id) => document.getElementById(id);

function scaled(value, units, step) {
  let unit = 0;
  for (; value >= step && unit + 1 < units.length; ++unit) value /= step;
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

const size = (bytes) => scaled(bytes, ["B", "KiB", "MiB", "GiB", "TiB"], 1024);
const rate = (perSecond) => (perSecond === null ? "–" : `${size(perSecond)}/s`);
const count = (value) => value.toLocaleString("en");
const packets = (perSecond) => (perSecond === null ? "–" : `${count(Math.round(perSecond))}/s`);
const counted = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;

function age(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = units.findIndex(([length]) => seconds >= length);
  if (first < 0) return "now";
  const [length, unit] = units[first];
  const whole = `${Math.floor(seconds / length)} ${unit}`;
  if (first + 1 >= units.length) return `${whole} ago`;
  const [finer, finerUnit] = units[first + 1];
  const rest = Math.floor((seconds % length) / finer);
  return rest === 0 ? `${whole} ago` : `${whole} ${rest} ${finerUnit} ago`;
}

// ---- pieces of the page

function make(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
}

function show(element, text, name) {
  if (element.textContent !== text) element.textContent = text;
  if (name !== undefined) element.className = name;
}

/** What grew by how much in a second, since the sample before; null where that is not known. */
class Rates {
  update(time, counters) {
    const before = this.before;
    this.before = { time, counters };
    const growth = (key) => {
      if (!before || time <= before.time) return null;
      const grown = (counters[key] ?? 0) - (before.counters[key] ?? 0);
      return grown < 0 ? null : grown / (time - before.time);
    };
    return growth;
  }
}

/** Two lines to one scale, in upwards and out downwards; the newest sample is at the right. */
class Sparkline {
  constructor() {
    this.element = document.createElementNS(kSvg, "svg");
    this.element.setAttribute("viewBox", `0 -1 ${kKept - 1} 2`);
    this.element.setAttribute("preserveAspectRatio", "none");
    this.element.setAttribute("aria-hidden", "true");
    this.lines = [["in", -1], ["out", 1]].map(([name, direction]) => {
      const line = document.createElementNS(kSvg, "polyline");
      line.setAttribute("class", name);
      this.element.append(line);
      return { line, direction, samples: [] };
    });
  }

  add(into, out) {
    [into, out].forEach((value, i) => {
      const samples = this.lines[i].samples;
      samples.push(value ?? 0);
      if (samples.length > kKept) samples.shift();
    });
    const highest = Math.max(1, ...this.lines.flatMap(({ samples }) => samples));
    for (const { line, direction, samples } of this.lines) {
      // Idle lines stay beside the middle, so that both are seen.
      const height = (value) => (direction * (0.05 + (value / highest) * 0.9)).toFixed(3);
      const point = (value, i) => `${kKept - samples.length + i},${height(value)}`;
      line.setAttribute("points", samples.map(point).join(" "));
    }
  }
}

/** Reasons with their counts; those that grow are marked. */
class Drops {
  constructor(element) {
    this.element = element;
    this.rates = new Rates();
  }

  update(time, drops, none) {
    const growth = this.rates.update(time, drops);
    const reasons = Object.entries(drops).map(([reason, total]) => {
      const grown = growth(reason);
      const news = grown > 0 ? ` +${packets(Math.max(grown, 1))}` : "";
      return make("span", grown > 0 ? "drop grows" : "drop", `${reason} ${count(total)}${news}`);
    });
    this.element.replaceChildren(...(reasons.length > 0 ? reasons : none));
  }
}

class Card {
  constructor() {
    this.name = make("h3");
    this.mark = make("span", "dot");
    this.about = make("p", "quiet");
    this.figures = make("dl");
    this.values = new Map();
    this.line = new Sparkline();
    this.rates = new Rates();
    this.element = make("article", "card", make("div", "title", this.name, this.mark), this.about, this.figures,
                        this.line.element);
  }

  figure(label, text, name) {
    if (!this.values.has(label)) {
      const value = make("dd", name);
      this.figures.append(make("dt", "", label), value);
      this.values.set(label, value);
    }
    show(this.values.get(label), text);
  }
}

class PeerCard extends Card {
  update(peer, time) {
    const growth = this.rates.update(time, peer);
    const into = growth("received_bytes");
    const out = growth("sent_bytes");
    const seconds = peer.latest_handshake === null ? null : Math.max(0, time - peer.latest_handshake);
    const is_calling = peer.handshake_attempts > 0;
    // A session that is used is renewed every two minutes, and none is older than three.
    const is_fresh = seconds !== null && seconds < 180;
    show(this.name, peer.name || `${peer.public_key.slice(0, 12)}…`);
    show(this.mark, is_calling ? "calling" : is_fresh ? "connected" : "idle",
         is_calling ? "dot bad" : is_fresh ? "dot good" : "dot");
    show(this.about, peer.endpoint ?? "has not called yet");
    this.figure("handshake", seconds === null ? "never" : age(seconds));
    this.figure("received", rate(into), "in");
    this.figure("sent", rate(out), "out");
    this.figure("so far", `${size(peer.received_bytes)}, ${size(peer.sent_bytes)}`);
    this.line.add(into, out);
  }
}

class ForwardCard extends Card {
  constructor() {
    super();
    this.room = make("progress");
    this.dropped = new Drops(make("div", "drops"));
    this.element.append(this.dropped.element);
    this.figures.before(this.room);
  }

  update(forward, time) {
    const growth = this.rates.update(time, forward);
    const into = growth("bytes_in");
    const out = growth("bytes_out");
    const is_udp = forward.protocol === "udp";
    const is_gone = forward.service_is_reachable === false;
    show(this.name, forward.name);
    const players = is_udp ? counted(forward.flows_established, "player") : counted(forward.flows, "connection");
    show(this.mark, is_gone ? "service gone" : players,
         is_gone ? "dot bad" : forward.flows > 0 ? "dot good" : "dot");
    show(this.about, `${forward.protocol} ${forward.listen.join(", ")} → ${forward.to}`);
    this.room.max = forward.max_flows;
    this.room.value = forward.flows;
    this.figure(is_udp ? "flows" : "connections", `${count(forward.flows)} of ${count(forward.max_flows)}`);
    const with_packets = (bytes, key) => (is_udp ? `${rate(bytes)}, ${packets(growth(key))}` : rate(bytes));
    this.figure("in", with_packets(into, "packets_in"), "in");
    this.figure("out", with_packets(out, "packets_out"), "out");
    this.figure("so far", `${size(forward.bytes_in)} in, ${size(forward.bytes_out)} out`);
    this.line.add(into, out);
    this.dropped.update(time, forward.drops, []);
  }
}

/** A card for each item, by its key, in the items' order. */
class Cards {
  constructor(element, Kind, keyOf, none) {
    Object.assign(this, { element, Kind, keyOf, none, cards: new Map() });
  }

  update(items, time) {
    const before = this.cards;
    this.cards = new Map();
    for (const item of items) {
      const key = this.keyOf(item);
      const card = before.get(key) ?? new this.Kind();
      card.update(item, time);
      this.cards.set(key, card);
    }
    const elements = [...this.cards.values()].map((card) => card.element);
    const wanted = elements.length > 0 ? elements : [make("p", "quiet", this.none)];
    const is_same = elements.length > 0 && wanted.length === this.element.childElementCount &&
      wanted.every((element, i) => element === this.element.children[i]);
    if (!is_same) this.element.replaceChildren(...wanted);
  }
}

// ---- the page

const forwards = new Cards(at("forwards"), ForwardCard, (forward) => forward.name, "none configured");
const peers = new Cards(at("peers"), PeerCard, (peer) => peer.public_key, "none configured");
const drops = new Drops(at("drops"));
let last = null; // when the gateway answered

function update(status) {
  const { name, public_key, listen_port, addresses } = status.interface;
  document.title = `${name} – adit`;
  show(at("name"), name);
  show(at("about"), `udp port ${listen_port}, ${addresses.join(", ")}, public key ${public_key ?? "(none)"}`);
  forwards.update(status.forwards, status.time);
  peers.update(status.peers, status.time);
  drops.update(status.time, status.drops, [make("span", "quiet", "nothing")]);
}

async function look() {
  try {
    const answer = await fetch("/status.json", { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    update(await answer.json());
    last = Date.now();
    show(at("state"), "live", "good");
  } catch {
    const since = last === null ? "" : ` This is from ${age((Date.now() - last) / 1000)}.`;
    show(at("state"), `The gateway does not answer.${since}`, "bad");
  }
  document.body.classList.toggle("old", at("state").className === "bad");
  setTimeout(look, 1000);
}

look();
