// An export with its progress: the file is read piece by piece, kept by the
// browser, and saved when it is whole. Without this script the form sends it as
// a plain download.
const form = document.querySelector("[data-export]");
const box = document.querySelector("[data-sending]");
const $ = (name) => box.querySelector(`[data-${name}]`);
const bar = box?.querySelector("progress");
const number = new Intl.NumberFormat("en");
let run; // the export under way

form?.addEventListener("submit", (event) => {
  const data = new FormData(form);
  if (data.get("format") === "report" || !window.ReadableStream) return;
  event.preventDefault();
  if (run) return;
  run = { parts: [], recent: [], received: 0, events: 0, share: 0, began: Date.now(), stop: new AbortController() };
  begin(data).catch(failed);
});

$("cancel")?.addEventListener("click", () => {
  run?.stop.abort();
});
$("on")?.addEventListener("click", () => {
  run.stop = new AbortController();
  show(true);
  rest().catch(failed);
});
addEventListener("beforeunload", (event) => {
  if (run) event.preventDefault();
});

function show(running) {
  box.hidden = false;
  bar.hidden = !running;
  $("cancel").hidden = !running;
  $("on").hidden = running;
  $("end").hidden = true;
  form.querySelector("button.primary").disabled = running;
}

function tell(text) {
  $("told").textContent = text;
}

async function begin(data) {
  show(true);
  $("page").hidden = true;
  bar.removeAttribute("value");
  tell("Beginning …");
  box.scrollIntoView({ block: "nearest" });
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(data), signal: run.stop.signal });
  await take(answer);
}

// take reads an answer to its end, or as far as it comes.
async function take(answer) {
  if (answer.redirected || !answer.headers.get("Content-Disposition")) {
    throw new Error(answer.redirected ? "You are signed out. Sign in and begin again." : await reason(answer));
  }
  run.page = answer.headers.get("Content-Location");
  run.name = answer.headers.get("Content-Disposition").match(/filename="([^"]+)"/)[1];
  run.type = answer.headers.get("Content-Type");
  $("page").href = run.page;
  $("page").hidden = false;
  const ask = setInterval(poll, 500);
  try {
    for (const reader = answer.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      keep(value);
    }
  } catch (error) {
    if (run.stop.signal.aborted) throw error;
    return again(error);
  } finally {
    clearInterval(ask);
  }
  await finish();
}

async function reason(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("main p")?.textContent.trim() || `The server answered ${answer.status}.`;
}

// keep puts pieces together now and then: the browser keeps large ones on disk.
function keep(piece) {
  run.recent.push(piece);
  run.received += piece.byteLength;
  if (run.recent.length >= 256) merge();
}

function merge() {
  run.parts.push(new Blob(run.recent));
  run.recent = [];
}

async function poll() {
  try {
    const answer = await fetch(run.page, { headers: { Accept: "application/json" } });
    if (!answer.ok || !run) return;
    const state = await answer.json();
    run.events = state.events;
    run.share = Math.max(run.share, state.done);
    progress();
  } catch { /* the export itself will tell if the server is away */ }
}

function progress() {
  if (run.share > 0) bar.value = run.share;
  const words = [`${number.format(run.events)} events`, size(run.received)];
  const seconds = (Date.now() - run.began) / 1000;
  if (run.share > 0.01 && seconds > 1) words.push(`about ${length(seconds / run.share - seconds)} left`);
  tell(words.join(" · "));
}

function size(bytes) {
  const unit = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${(bytes / unit[1]).toFixed(1)} ${unit[0]}`;
}

function length(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

// again goes on by itself a few times before it asks.
async function again(error) {
  run.tries = (run.tries ?? 0) + 1;
  if (run.tries > 3) throw error;
  tell("The connection broke off. Going on …");
  await new Promise((wake) => setTimeout(wake, 1000 * run.tries));
  return rest();
}

async function rest() {
  let answer;
  try {
    answer = await fetch(`${run.page}/rest?from=${run.received}`, { signal: run.stop.signal });
  } catch (error) {
    if (run.stop.signal.aborted) throw error;
    return again(error);
  }
  return take(answer);
}

async function finish() {
  merge();
  const file = new Blob(run.parts, { type: run.type });
  const state = await (await fetch(run.page, { headers: { Accept: "application/json" } })).json();
  save(file);
  $("name").textContent = `${run.name}, ${size(file.size)}`;
  $("events").textContent = number.format(state.events);
  $("sum").textContent = state.sha256;
  $("verify").textContent = `sha256sum ${run.name}`;
  if (run.name.includes(".verified.")) $("proof").textContent = `onrecord verify ${run.name} --key KEY`;
  $("proven").hidden = !run.name.includes(".verified.");
  show(false);
  $("on").hidden = true;
  $("end").hidden = false;
  box.querySelector("h2").textContent = "Exported";
  tell("");
  $("same").textContent = await same(file, state);
  run = undefined;
}

function save(file) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = run.name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// same compares what has arrived with the digest that the log holds, where the
// browser can.
async function same(file, state) {
  if (file.size !== state.bytes) return "What arrived is not the whole file: export it again.";
  if (!crypto.subtle || file.size > 2 ** 28) return "";
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  const hex = [...sum].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex === state.sha256 ? "The file that arrived has it." : "The file that arrived has another one: export it again.";
}

function failed(error) {
  const cancelled = run.stop.signal.aborted;
  show(false);
  $("on").hidden = !run.page || !(cancelled || error instanceof TypeError);
  tell(cancelled ? `Cancelled after ${size(run.received)}.` : error instanceof TypeError ? "The connection broke off." : error.message);
  if ($("on").hidden) run = undefined;
}
