// Asks the services for what a page gathers. Each service answers for itself; one that is away leaves the others' answers whole.

const PATIENCE_MILLISECONDS = 10_000;

/** Gives `{content}`, or `{fault: "refused"}` where one has to sign in, or lacks the role for it, or `{fault: "away"}`. */
export async function ask(address) {
  try {
    const answer = await fetch(address, {
      headers: { Accept: "application/json" },
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
    });
    if (answer.status === 401 || answer.status === 403) {
      return { fault: "refused" };
    }
    return answer.ok ? { content: await answer.json() } : { fault: "away" };
  } catch {
    return { fault: "away" };
  }
}

/** Puts a text into an element, with the language it is in where that is not the page's. */
export function say(element, said) {
  element.textContent = said.text;
  if (said.lang && said.lang !== document.documentElement.lang) {
    element.lang = said.lang;
    element.dir = said.dir;
  } else {
    element.removeAttribute("lang");
    element.removeAttribute("dir");
  }
}

/** Shows beside a service that it did not answer, or takes that away again. */
export function showTrouble(element, words) {
  element.textContent = words ? ` ${words}` : "";
  element.hidden = !words;
}
