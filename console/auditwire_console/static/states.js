// How it looks while something loads, when nothing is there, when it failed, and when an answer is not the whole one.

import { html } from "./vendor/htm-preact.js";

export function Failed({ problem, retry }) {
  const title = problem.status === 401 ? "You are not signed in" : problem.status === 0 ? "No connection" : "That did not work";
  const hint = problem.status === 401
    ? "The address that the command printed carries a token, which ends with the command. Open that address again."
    : "";
  return html`<div class="notice failed" role="alert">
    <h2>${title}</h2>
    <p>${problem.message}</p>
    ${hint && html`<p>${hint}</p>`}
    <button type="button" onClick=${retry}>Try again</button>
  </div>`;
}

export function Waiting({ loaded, what }) {
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
  const bytes = coverage.bytes > 1e6 ? `${(coverage.bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(coverage.bytes / 1e3)} kB`;
  const hours = coverage.firstHour ? `, ${coverage.firstHour}:00Z to ${coverage.lastHour}:59Z` : "";
  return html`<p class="coverage">From ${number(coverage.indexed)} indexed and ${number(coverage.scanned)} scanned objects (${bytes}${hours}), by ${coverage.engine}.</p>`;
}
