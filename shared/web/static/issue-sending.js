// Keeps the numbers of an issue that is being sent up to date; without this the page shows them as they were when it was opened.

const EVERY_MS = 3_000;

const box = document.getElementById("sending");
const number = new Intl.NumberFormat(document.documentElement.lang || "en");

async function look() {
  const answer = await fetch(box.dataset.address, { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    return;
  }
  const { standing, slowed } = await answer.json();
  for (const cell of box.querySelectorAll("[data-part]")) {
    cell.textContent = number.format(standing[cell.dataset.part]);
  }
  box.querySelector("#slowed").hidden = slowed.length === 0;
  box.querySelector("#slowed ul").replaceChildren(
    ...slowed.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
  );
  // Another state offers other buttons, and says in words what it is.
  if (standing.state !== box.dataset.state) {
    window.location.reload();
  }
}

if (["scheduled", "sending"].includes(box.dataset.state)) {
  setInterval(() => {
    look().catch(() => {}); // the next look may find what this one did not
  }, EVERY_MS);
}
