// Fills the table of operations from the services' own pages; without this the table's links lead there.

import { ask, say, showTrouble } from "./gather.js";

const TROUBLES = new Set(["warning", "bad"]);

const page = document.getElementById("operations");
const rows = [...page.querySelectorAll("tr[data-source]")];
const line = document.getElementById("gathered");
const troubles = document.getElementById("troubles");
const again = document.getElementById("again");

/** Fills one service's row and gives what is to be said about it below the table. */
async function fill(row) {
  const { content, fault } = await ask(row.dataset.source);
  showTrouble(row.querySelector(".trouble"), fault ? page.dataset[fault] : "");
  const figures = new Map((content?.shown ?? []).map((figure) => [figure.name, figure]));
  for (const cell of row.querySelectorAll("[data-figure]")) {
    cell.replaceChildren(shown(figures.get(cell.dataset.figure)));
  }
  return [...figures.values()]
    .filter((figure) => TROUBLES.has(figure.tone) && figure.reason.text)
    .map((figure) => remark(row.dataset.service, figure));
}

function shown(figure) {
  if (!figure) {
    return "–";
  }
  const status = document.createElement("span");
  status.className = `status status--${figure.tone}`;
  say(status, figure.text);
  return status;
}

function remark(service, figure) {
  const item = document.createElement("li");
  const [term, reason] = [figure.term, figure.reason].map((said) => {
    const part = document.createElement("span");
    say(part, said);
    return part;
  });
  item.append(Object.assign(document.createElement("strong"), { textContent: service }), " – ", term, page.dataset.colon, shown(figure), " ", reason);
  if (figure.detail) {
    item.append(" ", Object.assign(document.createElement("code"), { textContent: figure.detail, dir: "ltr" }));
  }
  return item;
}

async function gather() {
  again.disabled = true;
  page.ariaBusy = "true";
  line.textContent = page.dataset.asking;
  const remarks = (await Promise.all(rows.map(fill))).flat();
  troubles.querySelector("ul").replaceChildren(...remarks);
  troubles.hidden = !remarks.length;
  line.textContent = page.dataset.done;
  page.ariaBusy = "false";
  again.disabled = false;
}

again.addEventListener("click", gather);
again.closest("p").hidden = false;
gather();
