// Puts the story of one thing together: asks every service for the id, then for the traces it belongs to, and merges the steps in
// the order of their times. Without this, links lead to what each service tells.

import { ask, say, showTrouble } from "./gather.js";

// A thing belongs to one trace, rarely to two; more would be a fault, and no reason to ask for ever.
const MOST_IDS = 5;
// At the same instant: what was done, what was told of it, who took it, what was set aside.
const ORDER = ["fact", "told", "taken", "parked"];

const page = document.getElementById("story");
const line = document.getElementById("gathered");
const list = document.getElementById("steps");
const sources = [...document.querySelectorAll("#sources [data-service]")];
const words = new Map([...document.querySelectorAll("#words [data-what]")].map((item) => [item.dataset.what, item]));
const bare = (id) => id.replaceAll("-", "").toLowerCase();

/** Gives one service's steps about these ids, and the traces that it found them in; notes a fault beside its link. */
async function askOne(source, ids) {
  const service = source.dataset.service;
  const answers = await Promise.all(ids.map((id) => ask(`${source.dataset.base}/events/${id}.json`)));
  const fault = answers.find((answer) => answer.fault)?.fault;
  if (fault) {
    showTrouble(source.querySelector(".trouble"), page.dataset[fault]);
  }
  const contents = answers.flatMap((answer) => answer.content ?? []);
  return {
    steps: contents.flatMap((content) => content.steps.map((step) => ({ ...step, service }))),
    traces: contents.flatMap((content) => content.traces),
    cut: contents.some((content) => content.cut),
    fault,
  };
}

function merged(parts) {
  const steps = new Map();
  for (const step of parts.flatMap((part) => part.steps)) {
    steps.set([step.service, step.what, step.event_id, step.time, step.title.text].join(" "), step);
  }
  const moment = (step) => Date.parse(step.time);
  // Parsed times are whole milliseconds; the text decides between two within one.
  return [...steps.values()].sort(
    (a, b) => moment(a) - moment(b) || a.time.localeCompare(b.time) || ORDER.indexOf(a.what) - ORDER.indexOf(b.what),
  );
}

function drawn(step, place, told, caused) {
  const item = document.getElementById("step").content.firstElementChild.cloneNode(true);
  const slot = (name) => item.querySelector(`[data-slot="${name}"]`);
  const keep = (name, wanted) => wanted || item.querySelector(`[data-row="${name}"]`).remove();
  item.classList.add(`step--${step.what}`);
  slot("word").replaceWith(worded(step));
  say(slot("title"), step.title);
  slot("title").id = `title-${place}`;
  slot("address").setAttribute("aria-describedby", slot("title").id);
  slot("when").textContent = step.when;
  slot("when").dateTime = step.time;
  slot("subject").textContent = step.subject;
  slot("event").textContent = step.event_id ?? "";
  if (step.event_id !== page.dataset.asked) {
    slot("this").remove();
  }
  if (step.what === "told") {
    item.id = `event-${step.event_id}`;
    slot("caused").append(...links(caused.get(bare(step.event_id)) ?? [], told));
  }
  slot("cause").firstElementChild.textContent = step.cause;
  slot("cause").href = addressOf(step.cause, told);
  slot("notes").append(...step.notes.map(noted));
  slot("body").textContent = step.body;
  slot("address").href = step.address || "#";
  keep("address", step.address);
  keep("caused", slot("caused").hasChildNodes());
  keep("cause", step.cause);
  keep("event", step.event_id);
  keep("subject", step.subject);
  if (!step.body) {
    slot("details").remove();
  }
  [...item.querySelectorAll("dl, ul")].filter((group) => !group.children.length).forEach((group) => group.remove());
  return item;
}

function worded(step) {
  const status = document.createElement("span");
  status.className = `status status--${step.tone}`;
  status.append(...[...words.get(step.what).childNodes].map((node) => node.cloneNode(true)));
  return status;
}

/** A cause that stands on this page is reached on this page; another has a story of its own. */
function addressOf(id, told) {
  return told.has(bare(id)) ? `#event-${told.get(bare(id))}` : `/desk/events/${encodeURIComponent(id)}`;
}

/** Gives links to these events, one on a line. */
function links(ids, told) {
  return ids.flatMap((id, place) => {
    const link = document.createElement("a");
    link.href = addressOf(id, told);
    link.append(Object.assign(document.createElement("code"), { textContent: id, dir: "ltr" }));
    return place ? [document.createElement("br"), link] : [link];
  });
}

function noted(note) {
  const item = document.createElement("li");
  const text = document.createElement(note.name ? "code" : "span");
  say(text, note.text);
  if (note.name) {
    const name = document.createElement("span");
    say(name, note.name);
    text.dir = "ltr";
    item.append(name, page.dataset.colon);
  }
  item.append(text);
  return item;
}

function draw(steps) {
  const told = new Map(steps.filter((step) => step.what === "told").map((step) => [bare(step.event_id), step.event_id]));
  const caused = new Map();
  for (const step of steps.filter((step) => step.what === "told")) {
    const effects = caused.get(bare(step.cause)) ?? [];
    caused.set(bare(step.cause), [...effects, step.event_id]);
  }
  list.replaceChildren(...steps.map((step, place) => drawn(step, place, told, caused)));
}

async function gather() {
  page.ariaBusy = "true";
  line.textContent = page.dataset.asking;
  const asked = new Set();
  const parts = [];
  let ids = [page.dataset.asked];
  while (ids.length && asked.size < MOST_IDS) {
    ids.forEach((id) => asked.add(bare(id)));
    const found = await Promise.all(sources.map((source) => askOne(source, ids)));
    parts.push(...found.map((part, place) => ({ ...part, source: sources[place] })));
    ids = [...new Set(found.flatMap((part) => part.traces))].filter((trace) => !asked.has(bare(trace)));
  }
  const steps = merged(parts);
  draw(steps);
  for (const source of sources) {
    const own = parts.filter((part) => part.source === source);
    if (own.every((part) => !part.steps.length && !part.fault)) {
      showTrouble(source.querySelector(".trouble"), page.dataset.nothing);
    }
  }
  line.textContent = steps.length ? (parts.some((part) => part.cut) ? page.dataset.cut : "") : page.dataset.none;
  page.ariaBusy = "false";
}

gather();
