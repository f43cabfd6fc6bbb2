// What the page of the audit log adds when scripts run: what is most frequent
// beside the list, and buttons that filter by what a row names.
const wide = matchMedia("(min-width: 1280px)");

for (const place of document.querySelectorAll("details[data-load]")) {
  const load = async () => {
    if (!place.dataset.load || (!place.open && !wide.matches)) return;
    const url = place.dataset.load;
    delete place.dataset.load;
    try {
      const answer = await fetch(url);
      if (!answer.ok) return;
      const summary = place.querySelector("summary");
      place.innerHTML = await answer.text();
      place.prepend(summary);
    } catch { /* the way to it is still there */ }
  };
  load();
  place.addEventListener("toggle", load);
  wide.addEventListener("change", load);
}

function filterLink(kind, word, name, address) {
  const link = document.createElement("a");
  const url = new URL(address, location.href);
  url.search = location.search;
  url.searchParams.delete("cursor");
  url.searchParams.delete("newer");
  url.searchParams.set(kind, word);
  link.href = url;
  link.title = `${kind === "only" ? "Show only" : "Exclude"} ${name}`;
  link.setAttribute("aria-label", link.title);
  link.append(document.getElementById(`pick-${kind}`).content.cloneNode(true));
  return link;
}

const list = document.querySelector("[data-picks]");
const fields = [, "actor", "", "object"];

// pick says what a cell is filtered by: what it says itself, or the id that
// its link ends in.
function word(cell) {
  if (cell.dataset.pick) return cell.dataset.pick;
  const link = cell.querySelector(".cell a");
  const field = fields[cell.cellIndex];
  return link && field ? `${field}:${link.pathname.split("/").pop()}` : "";
}

function offer(row) {
  if (!row || row.dataset.offered) return;
  row.dataset.offered = "yes";
  for (const cell of [...row.cells].slice(1)) {
    const by = word(cell);
    if (!by) continue;
    const name = (cell.querySelector(".cell a, .cell > div") ?? cell.querySelector(".act-label")).textContent.trim();
    const picks = document.createElement("span");
    picks.className = "pick";
    picks.append(filterLink("only", by, name, list.dataset.picks), filterLink("not", by, name, list.dataset.picks));
    cell.append(picks);
  }
}

function withdraw(row) {
  if (!row?.dataset.offered || row.matches(":hover, :focus-within")) return;
  delete row.dataset.offered;
  for (const picks of row.querySelectorAll(".pick")) picks.remove();
}

if (list) {
  for (const [begin, end] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
    list.addEventListener(begin, (event) => offer(event.target.closest("tbody tr")));
    list.addEventListener(end, (event) => {
      const row = event.target.closest("tbody tr");
      setTimeout(() => withdraw(row));
    });
  }
}
