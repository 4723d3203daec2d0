// Small comforts; every page works without them.

// A part that changes by itself (progress of a source) is fetched again while it is looked at.
const REFRESH_MS = 4000;

async function refresh(part) {
  if (document.hidden || part.contains(document.activeElement)) return;
  const reply = await fetch(location.href, { credentials: "same-origin" });
  if (!reply.ok) return;
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  const fresh = page.getElementById(part.id);
  if (fresh) part.replaceChildren(...fresh.childNodes);
}

for (const part of document.querySelectorAll("[data-refresh]")) {
  setInterval(() => refresh(part).catch(() => {}), REFRESH_MS);
}

// On a narrow screen the menu scrolls: the page that is open should be in sight.
document.querySelector(".pages [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

// A choice in a filter is applied at once.
for (const choice of document.querySelectorAll("form.filters select")) {
  choice.addEventListener("change", () => choice.form.requestSubmit());
}

// What cannot be taken back is asked about.
for (const form of document.querySelectorAll("form[data-ask]")) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.ask)) event.preventDefault();
  });
}
