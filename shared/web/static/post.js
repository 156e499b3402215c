// Counts a post as it is typed, by the server that will count it when it is submitted, and shows its words as the network would.
// Without this, the count and the preview are those of what was saved last.

const WAIT_MS = 300;

/** Shows the count of a text under its field; an answer that is overtaken by further typing is dropped. */
async function count(field, line, turn) {
  const mine = ++turn.now;
  try {
    const answer = await fetch(`/social/count?network=${encodeURIComponent(field.dataset.network)}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ text: field.value }),
    });
    if (!answer.ok || mine !== turn.now) {
      return;
    }
    const found = await answer.json();
    line.textContent = found.words;
    line.classList.toggle("post-count--over", found.over > 0);
  } catch {
    // No connection: the count of what was saved stays, and saving counts again.
  }
}

for (const field of document.querySelectorAll("textarea[data-count]")) {
  const line = document.getElementById(field.dataset.count);
  const preview = document.querySelector(`[data-preview-of="${CSS.escape(field.id)}"]`);
  const turn = { now: 0 };
  let timer = 0;
  field.addEventListener("input", () => {
    if (preview) {
      preview.textContent = field.value;
    }
    clearTimeout(timer);
    timer = setTimeout(() => count(field, line, turn), WAIT_MS);
  });
}
