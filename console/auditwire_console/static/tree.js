// A JSON value as a tree. Values of known fields can be filtered for or out.

import { html } from "./vendor/htm-preact.js";

const FIELD_OF = {
  verb: "verb", auditID: "audit_id", stage: "stage", level: "level", "user.username": "user", "user.groups[]": "groups",
  "impersonatedUser.username": "impersonated", "sourceIPs[]": "source", userAgent: "agent", requestURI: "uri",
  "objectRef.resource": "resource", "objectRef.apiGroup": "api_group", "objectRef.namespace": "namespace",
  "objectRef.name": "name", "objectRef.subresource": "subresource", "responseStatus.code": "code",
  "responseStatus.status": "status", "responseStatus.reason": "reason", cluster: "cluster", workspace: "workspace",
  "annotations.authorization.k8s.io/decision": "decision", "_auditwire.archiving[]": "rule", "_auditwire.alerting[]": "alert",
};
// A number as it is written, where JavaScript's numbers cannot hold it.
class Digits {
  constructor(text) {
    this.text = text;
  }
}

export function parsed(line) {
  try {
    return JSON.parse(line, (key, value, context) => (typeof value === "number" && context?.source && String(value) !== context.source ? new Digits(context.source) : value));
  } catch {
    return { line };
  }
}

const OPEN_TO = 2;
const LONG = 2000;

export function Tree({ name, value, path = "", depth = 0, add }) {
  if (value !== null && typeof value === "object" && !(value instanceof Digits)) {
    const list = Array.isArray(value);
    const entries = list ? value.map((one, index) => [index, one]) : Object.entries(value);
    return html`<details open=${depth < OPEN_TO} class="node"><summary>${name !== undefined && html`<span class="key"><bdi>${name}</bdi></span>`} <span class="size">${list ? `[${entries.length}]` : `{${entries.length}}`}</span></summary>
      <ul>${entries.map(([key, one]) => html`<li key=${key}><${Tree} name=${String(key)} value=${one} depth=${depth + 1} add=${add}
        path=${list ? `${path}[]` : path ? `${path}.${key}` : String(key)} /></li>`)}</ul></details>`;
  }
  const text = value instanceof Digits ? value.text : typeof value === "string" ? value : JSON.stringify(value);
  const field = FIELD_OF[path];
  return html`<span class="leaf"><span class="key"><bdi>${name}</bdi></span> <span class=${`value ${typeof value}`}><bdi>${text.length > LONG ? `${text.slice(0, LONG)}… (${text.length.toLocaleString("en")} characters; see Raw)` : text}</bdi></span>
    ${field && text && html`<span class="pivots"><button type="button" class="plain" aria-label=${`Only ${field} ${text.slice(0, 80)}`} title="Filter for it" onClick=${() => add({ op: "is", field, value: text })}>+</button><button type="button" class="plain" aria-label=${`Without ${field} ${text.slice(0, 80)}`} title="Filter it out" onClick=${() => add({ op: "not", field, value: text })}>−</button></span>`}</span>`;
}
