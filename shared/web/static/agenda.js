// Adds to each hour what the reader's own clock will show, where it shows something else than the place's.
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const language = document.documentElement.lang;

function offset(zone, moment) {
  return new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).format(moment);
}

for (const place of document.querySelectorAll(".own-zone")) {
  const { starts, ends, zone, words } = place.dataset;
  const from = new Date(starts);
  if (!own || own === "UTC" || offset(own, from) === offset(zone, from)) continue;
  const shown = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { dateStyle: "full", timeStyle: "short" });
  const when = ends ? shown.formatRange(from, new Date(ends)) : shown.format(from);
  place.textContent = words.replace("{when}", () => when).replace("{zone}", () => own);
  place.hidden = false;
}
