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

// An event opens over the list. It has its address all the same: back closes
// it, and whoever reloads or sends the address gets the event's own page.
const dialog = document.getElementById("event");

async function openEvent(address, replace) {
  let answer;
  try { answer = await fetch(address); } catch { /* then the browser goes there and says so */ }
  if (!answer?.ok || answer.redirected) {
    location.assign(address);
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  for (const script of page.querySelectorAll("script")) script.remove();
  for (const back of page.querySelectorAll(".acts a:not([rel])")) {
    back.textContent = "Close";
    back.dataset.close = "";
  }
  dialog.replaceChildren(...page.childNodes);
  document.dispatchEvent(new CustomEvent("onrecord:content", { detail: dialog }));
  history[replace ? "replaceState" : "pushState"]({ event: true }, "", address);
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

if (dialog) {
  const plain = (event) => event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || !plain(event)) return;
    if (link.matches("table.log [data-row]")) {
      event.preventDefault();
      openEvent(link.href, false);
    } else if (dialog.contains(link) && link.matches("[rel=prev], [rel=next]")) {
      event.preventDefault();
      openEvent(link.href, true);
    } else if (dialog.contains(link) && "close" in link.dataset) {
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.addEventListener("close", () => {
    if (history.state?.event) history.back();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = { j: "next", k: "prev" }[event.key];
    const link = way && dialog.querySelector(`a[rel=${way}]`);
    if (link) openEvent(link.href, true);
  });
  addEventListener("popstate", () => {
    if (dialog.open) dialog.close();
    else if (history.state?.event) location.reload();
  });
}

// Suggestions under the search field, for the word at the caret. Without a
// choice Enter searches, as ever.
const typing = document.getElementById("typing");
const search = document.getElementById("search");

if (typing && search) {
  const bytes = new TextEncoder();
  const text = new TextDecoder();
  let waiting, asked, place, chosen = -1;

  const shut = () => {
    typing.hidden = true;
    chosen = -1;
    search.removeAttribute("aria-activedescendant");
  };
  const choose = (n) => {
    const options = [...typing.children];
    chosen = options.length ? (n + options.length) % options.length : -1;
    options.forEach((option, i) => option.setAttribute("aria-selected", i === chosen));
    if (chosen < 0) return;
    search.setAttribute("aria-activedescendant", options[chosen].id);
    options[chosen].scrollIntoView({ block: "nearest" });
  };
  const accept = (item) => {
    const whole = bytes.encode(search.value);
    const before = text.decode(whole.slice(0, place.from)) + item.text;
    const after = text.decode(whole.slice(place.to));
    const open = item.text.endsWith(":");
    search.value = before + (open || /^[\s,]/.test(after) ? "" : " ") + after;
    const caret = before.length + (open ? 0 : 1);
    search.setSelectionRange(caret, caret);
    search.focus();
    shut();
    if (open) look();
  };
  const show = (found) => {
    place = found;
    typing.replaceChildren(...found.items.map((item, i) => {
      const option = document.createElement("li");
      option.id = `typing-${i}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      for (const [name, value] of [["", item.label], ["sub", item.detail], ["count", item.count]]) {
        const part = document.createElement("span");
        part.className = name;
        part.textContent = value;
        option.append(part, " ");
      }
      option.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        accept(item);
      });
      return option;
    }));
    chosen = -1;
    search.removeAttribute("aria-activedescendant");
    typing.hidden = found.items.length === 0;
  };
  const look = () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      asked?.abort();
      asked = new AbortController();
      const url = new URL(typing.dataset.typing, location.href);
      url.searchParams.set("q", search.value);
      url.searchParams.set("at", bytes.encode(search.value.slice(0, search.selectionStart)).length);
      try {
        const answer = await fetch(url, { signal: asked.signal });
        if (answer.ok && document.activeElement === search) show(await answer.json());
      } catch { /* a newer question took its place, or the server is away: typing goes on */ }
    }, 120);
  };

  search.setAttribute("aria-autocomplete", "list");
  search.setAttribute("aria-controls", "typing");
  search.addEventListener("input", look);
  search.addEventListener("blur", () => { clearTimeout(waiting); asked?.abort(); shut(); });
  search.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" && typing.hidden) {
      event.preventDefault();
      look();
    } else if (typing.hidden) {
      return;
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(chosen < 0 && event.key === "ArrowUp" ? -1 : chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Escape") {
      event.preventDefault();
      shut();
    } else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) {
      event.preventDefault();
      accept(place.items[chosen]);
    }
  });
}
