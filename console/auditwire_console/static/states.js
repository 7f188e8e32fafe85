// How it looks while something loads, when nothing is there, when it failed, and when an answer is not the whole one.

import { html, useEffect, useState } from "./vendor/htm-preact.js";
import { agree, LOGIN, wasKnown } from "./api.js";
import { SignIn } from "./session.js";

export const bytes = (count) => {
  for (const [unit, size] of [["TB", 1e12], ["GB", 1e9], ["MB", 1e6]]) if (count >= size) return `${(count / size).toFixed(1)} ${unit}`;
  return `${Math.ceil(count / 1e3)} kB`;
};

// Dollars are never shown as less than they are.
export const dollars = (amount) => (amount >= 0.01 || amount === 0 ? `$${(Math.ceil(amount * 100 - 1e-6) / 100).toFixed(2)}` : "less than 1 cent");

const READERS = { athena: "Athena would scan", duckdb: "The console would read", scan: "The console would read" };

// A search that may cost more than may be spent without a question.
export function Costly({ price, query, retry }) {
  const go = () => {
    // A little more than was said, for what arrives meanwhile.
    agree(query, price.dollars * 1.1);
    retry();
  };
  return html`<div class="notice cut" role="alert">
    <h2>This search may cost ${dollars(price.dollars)}</h2>
    <p>${READERS[price.engine] || READERS.scan} up to ${bytes(price.bytes)} in ${price.objects.toLocaleString("en")} objects. A shorter time, or one cluster, costs less.</p>
    ${price.mayAgree ? html`<button type="button" onClick=${go}>Search for up to ${dollars(price.dollars)}</button>` : html`<p>Only whoever runs the console can agree to that.</p>`}
    <p class="soft">Without a question a search may cost ${dollars(price.limit)} (<code>${LOGIN ? "ConsoleSearchCents" : "--max-cost"}</code>).</p>
  </div>`;
}

const TITLES = { 0: "No connection", 401: "You are not signed in", 413: "Too much for one answer", 429: "Too many requests at once" };

function SignedOut() {
  return html`<div class="notice" role="alert">
    <h2>${wasKnown() ? "Your session has ended" : "You are not signed in"}</h2>
    <p>Sign in, and this page shows what its address asks for.</p>
    <${SignIn} />
  </div>`;
}

export function Failed({ problem, retry }) {
  if (problem.price) return html`<${Costly} price=${problem.price} query=${problem.query} retry=${retry} />`;
  if (problem.status === 401 && LOGIN) return html`<${SignedOut} />`;
  const title = TITLES[problem.status] || "That did not work";
  const hint = problem.status === 401
    ? "The address that the command printed carries a token, which ends with the command. Open that address again."
    : "";
  return html`<div class="notice failed" role="alert">
    <h2>${title}</h2>
    <p>${problem.message.slice(0, 1).toUpperCase()}${problem.message.slice(1)}${/[.!?]$/.test(problem.message) ? "" : "."}</p>
    ${hint && html`<p>${hint}</p>`}
    <button type="button" onClick=${retry}>Try again</button>
  </div>`;
}

// A search that Athena works on for longer than one answer may take.
function Running({ loaded }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.floor((now - loaded.since) / 1000));
  return html`<div class="notice">
    <h2 aria-live="polite"><span class="spinner" aria-hidden="true"></span> Athena is searching</h2>
    <p>For <span role="timer">${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}</span>. The page asks until it is done.</p>
    <button type="button" onClick=${loaded.cancel}>Cancel</button>
    <span class="soft">Athena ends what it has begun, and that is paid for.</span>
  </div>`;
}

export function Waiting({ loaded, what }) {
  if (loaded.stopped) return html`<p class="waiting"><span role="status">Stopped.</span> <button type="button" class="plain" onClick=${loaded.retry}>Search again</button></p>`;
  if (loaded.loading && loaded.running) return html`<${Running} loaded=${loaded} />`;
  if (!loaded.loading || !loaded.slow) return null;
  return html`<p class="waiting" role="status">
    <span class="spinner" aria-hidden="true"></span> Reading ${what} …
    <button type="button" class="plain" onClick=${loaded.cancel}>Stop</button>
  </p>`;
}

export function Cut({ coverage, widen }) {
  if (!coverage) return null;
  const said = [];
  if (coverage.cutOff === "time") said.push("The search took too long and ended early: this is only a part of the answer. Narrow its time range.");
  if (coverage.unreadable?.length) said.push(`${coverage.unreadable.length} stored object${coverage.unreadable.length > 1 ? "s" : ""} could not be read, so events may be missing: ${coverage.unreadable.join("; ")}`);
  for (const remark of coverage.remarks || []) said.push(remark);
  if (!said.length) return null;
  return html`<div class="notice cut" role="status">${said.map((one) => html`<p>${one}</p>`)}${widen}</div>`;
}

export function Empty({ children }) {
  return html`<div class="notice empty" role="status">${children}</div>`;
}

export function Coverage({ coverage }) {
  if (!coverage?.engine) return null;
  const number = (value) => value.toLocaleString("en");
  const hours = coverage.firstHour ? `, ${coverage.firstHour}:00Z to ${coverage.lastHour}:59Z` : "";
  return html`<p class="coverage">From ${number(coverage.indexed)} indexed and ${number(coverage.scanned)} scanned objects (${bytes(coverage.bytes)}${hours}), by ${coverage.engine}.</p>`;
}
