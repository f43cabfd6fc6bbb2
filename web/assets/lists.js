// What the platform has nothing for: select all rows, narrow a menu while
// typing, suggestions from the server, copying, the reader's own time.
const all = document.querySelector("[data-all]");
const boxes = [...document.querySelectorAll(".sel input[name=id]")];
const note = document.querySelector("[data-selected]");

function count() {
  const n = boxes.filter((box) => box.checked).length;
  if (note) note.textContent = `${n} selected`;
  if (all) {
    all.checked = n > 0 && n === boxes.length;
    all.indeterminate = n > 0 && n < boxes.length;
  }
}

if (all && boxes.length > 0) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    count();
  });
  for (const box of boxes) box.addEventListener("change", count);
  count();
}

for (const input of document.querySelectorAll("[data-narrow]")) {
  input.closest(".narrowing").hidden = false;
  const options = [...document.getElementById(input.dataset.narrow).querySelectorAll("[data-option]")];
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const option of options) {
      const text = option.textContent.toLowerCase();
      option.hidden = !words.every((word) => text.includes(word)) && !option.querySelector("input").checked;
    }
    for (const set of input.form.querySelectorAll(".options fieldset")) {
      set.hidden = !set.querySelector("[data-option]:not([hidden])");
    }
  });
}

for (const input of document.querySelectorAll("[data-suggest]")) {
  let waiting, asked;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      asked?.abort();
      asked = new AbortController();
      const url = new URL(input.dataset.suggest, location.href);
      url.searchParams.set("object", input.value);
      for (const kind of input.form.querySelectorAll("[name=kind]:checked")) url.searchParams.append("kind", kind.value);
      try {
        const answer = await fetch(url, { signal: asked.signal });
        if (answer.ok) input.list.innerHTML = await answer.text();
      } catch { /* a newer question took its place, or the server is away: typing goes on */ }
    }, 150);
  });
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
// enrich adds what scripts add to a piece of a page, also to one that came later.
function enrich(piece) {
  for (const button of piece.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    const label = button.querySelector("span") ?? button;
    const before = label.textContent;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
        label.textContent = "Copied";
      } catch {
        label.textContent = "Not allowed";
      }
      setTimeout(() => { label.textContent = before; }, 2000);
    });
  }
  for (const time of piece.querySelectorAll("time[data-local]")) {
    const text = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
    const own = document.createElement("span");
    own.className = "sub";
    own.textContent = `${text}, your time (${zone})`;
    time.after(own);
  }
}
enrich(document);
document.addEventListener("onrecord:content", (event) => enrich(event.detail));

for (const hint of document.querySelectorAll("[data-zone]")) {
  const minutes = -new Date().getTimezoneOffset();
  const sign = minutes < 0 ? "−" : "+";
  const size = `${Math.trunc(Math.abs(minutes) / 60)}:${String(Math.abs(minutes) % 60).padStart(2, "0")}`;
  hint.textContent = `Your time (${zone}) is UTC ${sign}${size} now.`;
  hint.hidden = false;
}
