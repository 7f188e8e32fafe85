// The most frequent values of fields, each to filter for or out.

import { html } from "./vendor/htm-preact.js";

export const FACETS = ["verb", "user", "cluster", "namespace", "resource", "code", "source", "rule"];

// `count` is there where counting costs money: it is pressed first.
export function Facets({ facets, total, add, count }) {
  return html`<aside class="facets" aria-label="Most frequent values">
    ${count && html`<button type="button" class="quiet" onClick=${count}>Count the most frequent values</button>`}
    ${FACETS.filter((name) => facets?.[name]?.length).map((name) => html`<details key=${name} open=${["verb", "user", "namespace", "rule"].includes(name)}>
      <summary>${name}</summary>
      <ul>${facets[name].filter((one) => one.value !== "" && one.value !== null).map((one) => html`<li key=${one.value}>
        <button type="button" class="plain value" title=${`Only ${name} ${one.value}`} onClick=${() => add({ op: "is", field: name, value: String(one.value) })}>
          <bdi>${one.value}</bdi>
          <span class="count">${one.count.toLocaleString("en")}</span>
          <span class="share" aria-hidden="true" style=${{ width: `${total ? (100 * one.count) / total : 0}%` }}></span>
        </button>
        <button type="button" class="plain out" aria-label=${`Without ${name} ${one.value}`} title=${`Without ${name} ${one.value}`} onClick=${() => add({ op: "not", field: name, value: String(one.value) })}>−</button>
      </li>`)}</ul>
    </details>`)}
  </aside>`;
}
