// Rows of events: columns to choose, the newest first, more on scroll.

import { html, useEffect, useRef } from "./vendor/htm-preact.js";
import { shown } from "./time.js";

export function cell(row, column, zone) {
  const value = row[column];
  if (column === "time" || column === "received") return shown(value, zone);
  if (Array.isArray(value)) return value.join(", ");
  return value === null || value === undefined ? "" : String(value);
}

// The rules that alert first, then the others.
function ruleCell(row, column, quiet) {
  const loud = alertsOf(row, quiet);
  const others = (row[column] || []).filter((name) => !loud.includes(name));
  const all = [...loud, ...others];
  return html`<bdi title=${all.join(", ")}>${loud.length > 0 && html`<strong>${loud.join(", ")}</strong>`}${loud.length && others.length ? ", " : ""}${others.join(", ")}</bdi>`;
}

const alertsOf = (row, quiet) => (row.alert || []).filter((name) => !quiet?.includes(name));

export function outcome(row) {
  if (row.code >= 500) return "broken";
  if (row.code >= 400 || row.decision === "forbid") return "refused";
  return "";
}

export const idOf = (row) => `${row.key}#${row.number}`;

export function EventTable({ rows, quiet, columns, zone, open, opened, more, loadMore, loading, caption }) {
  const end = useRef(null);
  const body = useRef(null);
  useEffect(() => {
    if (!more || !end.current) return undefined;
    const observer = new IntersectionObserver((entries) => entries.some((one) => one.isIntersecting) && loadMore(), { rootMargin: "400px" });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [more, rows.length]);
  const keys = (event) => {
    const move = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (!move) return;
    const all = [...body.current.querySelectorAll("button.open")];
    const next = all[all.indexOf(document.activeElement) + move];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  };
  return html`<div class="table" role="region" aria-label=${caption} tabindex="0">
    <table class="events" role="table">
      <caption class="visually-hidden">${caption}. Press the time of an event to open it; arrow keys move between events.</caption>
      <thead role="rowgroup"><tr role="row">${columns.map((column) => html`<th scope="col" role="columnheader" class=${`c-${column}`}>${column}</th>`)}</tr></thead>
      <tbody role="rowgroup" ref=${body} onKeyDown=${keys}>
        ${rows.map((row) => html`<tr role="row" key=${idOf(row)} class=${`${outcome(row)} ${alertsOf(row, quiet).length ? "alerting" : ""} ${idOf(row) === opened ? "opened" : ""}`} onClick=${() => open(row)}>
          ${columns.map((column, index) => html`<td role="cell" class=${`c-${column}`}>
            ${index === 0
              ? html`<button type="button" class="plain open" aria-label=${`Open ${cell(row, "verb")} ${cell(row, "object")} by ${cell(row, "user")}`} onClick=${(event) => { event.stopPropagation(); open(row); }}>${cell(row, column, zone) || "open"}</button>`
              : column === "rule" || column === "alert" ? ruleCell(row, column, quiet) : html`<bdi title=${cell(row, column, zone)}>${cell(row, column, zone)}</bdi>`}
            ${column === "verb" && row.flags?.length ? html`<span class="flag" title=${row.flags.join(", ")}>!<span class="visually-hidden"> ${row.flags.join(", ")}</span></span>` : ""}
          </td>`)}
        </tr>`)}
      </tbody>
    </table>
    ${more && html`<p ref=${end} class="more"><button type="button" onClick=${loadMore} disabled=${loading}>${loading ? "Loading …" : "More"}</button></p>`}
  </div>`;
}

export function ColumnMenu({ fields, columns, choose }) {
  const all = ["time", "received", ...Object.keys(fields).filter((name) => name !== "time" && name !== "received")];
  return html`<details class="menu wide"><summary>Columns</summary><div class="panel columns">
    ${all.map((name) => html`<label class="check" key=${name}><input type="checkbox" checked=${columns.includes(name)}
      onChange=${(event) => choose(event.target.checked ? [...columns, name] : columns.filter((one) => one !== name))} /> ${name}</label>`)}
  </div></details>`;
}
