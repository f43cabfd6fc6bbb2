// Keys for people who spend the day here: "/" searches, "j" and "k" walk the
// rows, "?" lists them. Enter and Esc are the browser's own. They can be
// switched off (WCAG 2.1.4), which this browser remembers.
const dialog = document.getElementById("keys");
const toggle = document.getElementById("keys-on");
const opener = document.getElementById("keys-open");
const setting = "onrecord-keys";

function enabled() {
  try { return localStorage.getItem(setting) !== "off"; } catch { return true; }
}

function typing(target) {
  return target instanceof Element && target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
}

function step(by) {
  const rows = [...document.querySelectorAll("main [data-row]")];
  if (rows.length === 0) return;
  const here = document.activeElement?.closest("tr, li");
  const at = rows.findIndex((row) => row.closest("tr, li") === here);
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1);
  rows[next].focus();
  rows[next].scrollIntoView({ block: "nearest" });
}

const keys = {
  "/": () => {
    const field = document.getElementById("search");
    field?.focus();
    field?.select();
  },
  j: () => step(1),
  k: () => step(-1),
  "?": () => dialog.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !enabled()) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

if (dialog) {
  toggle.checked = enabled();
  toggle.addEventListener("change", () => {
    try { localStorage.setItem(setting, toggle.checked ? "on" : "off"); } catch { /* then it holds for this page */ }
  });
  opener.hidden = false;
  opener.addEventListener("click", () => dialog.showModal());
}
