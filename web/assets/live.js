// Live: rows of new events come as server-sent events. They are let in at the
// top while the reader is there and touches none of them; otherwise a button
// says how many wait, and nothing that is read moves.
const toggle = document.querySelector("[data-live]");
const table = document.querySelector("table.log");
const body = table?.tBodies[0];
const most = 500; // rows that wait or that the list holds
const url = toggle && new URL(toggle.dataset.live, location.href);
let source;
let waiting = []; // rows, the oldest first
let overflow = false;

const news = document.createElement("div");
news.className = "news";
news.setAttribute("role", "status");
const button = document.createElement("button");
button.type = "button";
button.className = "btn primary";
button.hidden = true;
button.addEventListener("click", () => {
  if (overflow || !table) {
    location.reload();
    return;
  }
  letIn();
  scrollTo({ top: 0 });
  table.querySelector("[data-row]")?.focus({ preventScroll: true });
});
news.append(button);

function idOf(row) {
  // Not .href: a row that is not in the page yet has no address to start from.
  return new URL(row.querySelector("[data-row]").getAttribute("href"), location.href).pathname.split("/").pop();
}

function known(id) {
  const same = (row) => idOf(row) === id;
  return waiting.some(same) || (body && [...body.rows].some(same));
}

function comes(event) {
  url.searchParams.set("after", event.lastEventId);
  const piece = document.createElement("template");
  piece.innerHTML = event.data;
  const row = piece.content.querySelector("tr");
  if (known(idOf(row))) return; // the page had it already
  waiting.push(row);
  if (waiting.length > most) {
    overflow = true;
    stop();
  }
  if (table && !overflow && atTop() && !touched()) letIn();
  tell();
}

const atTop = () => scrollY < 8;
const touched = () => table.matches(":hover, :focus-within") || document.querySelector("dialog[open]");

// letIn puts each row where its time belongs: one that was committed late may
// be older than those above.
function letIn() {
  for (const row of waiting) {
    const id = idOf(row);
    row.classList.add("new");
    body.insertBefore(row, [...body.rows].find((other) => idOf(other) < id) ?? null);
  }
  waiting = [];
  while (body.rows.length > most) body.rows[body.rows.length - 1].remove();
  tell();
}

function tell() {
  button.hidden = waiting.length === 0;
  button.textContent = overflow ? `More than ${most} new: load the page again` : `${waiting.length} new`;
}

function icon(event) {
  const symbols = document.querySelector("svg.symbols");
  const id = event.data.match(/id="([^"]+)"/)[1];
  if (symbols && !document.getElementById(id)) symbols.insertAdjacentHTML("beforeend", event.data);
}

function start() {
  source = new EventSource(url);
  source.addEventListener("row", comes);
  source.addEventListener("icon", icon);
  source.addEventListener("end", (event) => stop(event.data));
  source.addEventListener("error", () => {
    if (source?.readyState === EventSource.CLOSED) stop("The live view ended. Load the page again.");
  });
  toggle.setAttribute("aria-pressed", "true");
}

function stop(why = "") {
  source?.close();
  source = undefined;
  toggle.setAttribute("aria-pressed", "false");
  let note = news.querySelector("p");
  if (why && !note) news.append(note = document.createElement("p"));
  if (note) note.textContent = why;
}

if (toggle) {
  (table ?? document.querySelector("main .empty"))?.before(news);
  toggle.hidden = false;
  toggle.addEventListener("click", () => source ? stop() : start());
  addEventListener("scroll", () => { if (table && waiting.length && !overflow && atTop() && !touched()) letIn(); }, { passive: true });
  addEventListener("pagehide", () => stop());
}
