// One event: as a tree and raw, why it was kept or alerted, whether a seal proves it, and where to look next.

import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { ask, download } from "./api.js";
import { useLoaded } from "./hooks.js";
import { Failed, Waiting } from "./states.js";
import { shown } from "./time.js";
import { parsed, Tree } from "./tree.js";

const TABS = [["event", "Event"], ["raw", "Raw"], ["why", "Why"], ["evidence", "Evidence"]];
const MINUTES = 5 * 60_000;

export function Detail({ id, state, go, add, close }) {
  const hash = id.lastIndexOf("#");
  const query = new URLSearchParams({ key: id.slice(0, hash), number: id.slice(hash + 1) });
  const loaded = useLoaded(`event ${id}`, (signal) => ask("event", query, signal));
  const [tab, setTab] = useState("event");
  const title = useRef(null);
  useEffect(() => title.current?.focus(), [id, Boolean(loaded.value)]);
  useEffect(() => {
    const escape = (event) => event.key === "Escape" && close();
    addEventListener("keydown", escape);
    return () => removeEventListener("keydown", escape);
  }, []);
  const keys = (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move) return;
    const next = TABS[(TABS.findIndex(([name]) => name === tab) + move + TABS.length) % TABS.length][0];
    setTab(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  const fields = loaded.value?.fields;
  return html`<section class="detail" aria-labelledby="detail-title">
    <header>
      <h2 id="detail-title" tabindex="-1" ref=${title}>${fields ? html`<bdi>${fields.verb || "?"} ${fields.object || fields.uri}</bdi>` : "Event"}</h2>
      <button type="button" class="plain" aria-label="Close the event" onClick=${close}>×</button>
    </header>
    <${Waiting} loaded=${loaded} what="the event" />
    ${loaded.problem && html`<${Failed} problem=${loaded.problem} retry=${loaded.retry} />`}
    ${fields && html`
      <p class="who"><bdi>${fields.user || "nobody"}</bdi> from <bdi>${fields.source.join(", ") || "nowhere"}</bdi>, ${shown(fields.time, state.zone)}${state.zone === "utc" ? " UTC" : ""}, answered ${fields.code ?? "nothing"}</p>
      <${Pivots} fields=${fields} state=${state} go=${go} />
      <div role="tablist" aria-label="Parts of the event" onKeyDown=${keys}>${TABS.map(([name, label]) => html`<button type="button" role="tab" id=${`tab-${name}`} aria-selected=${tab === name} aria-controls="tab-panel" tabindex=${tab === name ? 0 : -1} onClick=${() => setTab(name)}>${label}</button>`)}</div>
      <div role="tabpanel" id="tab-panel" aria-labelledby=${`tab-${tab}`} tabindex="0">
        ${tab === "event" && html`<div class="tree"><${Tree} value=${parsed(loaded.value.line)} add=${add} /></div>`}
        ${tab === "raw" && html`<${Raw} line=${loaded.value.line} />`}
        ${tab === "why" && html`<${Why} query=${query} id=${id} />`}
        ${tab === "evidence" && html`<${Evidence} query=${query} id=${id} fields=${fields} />`}
      </div>`}
  </section>`;
}

function Pivots({ fields, state, go }) {
  const only = (...filters) => () => go({ ...state, page: "events", event: "", filters: filters.map(([field, value]) => ({ op: "is", field, value: String(value) })) });
  const around = () => {
    const at = Date.parse(fields.time);
    go({ ...state, page: "events", event: "", filters: [{ op: "cluster", field: "cluster", value: fields.cluster }], from: new Date(at - MINUTES).toISOString(), to: new Date(at + MINUTES).toISOString() });
  };
  return html`<div class="pivots" role="group" aria-label="Look for">
    <button type="button" onClick=${only(["audit_id", fields.audit_id])}>Same request</button>
    ${fields.object && html`<button type="button" onClick=${only(["object", fields.object])}>Same object</button>`}
    ${fields.user && html`<button type="button" onClick=${only(["user", fields.user])}>Same user</button>`}
    ${fields.source.length > 0 && html`<button type="button" onClick=${only(["source", fields.source[0]])}>Same source</button>`}
    <button type="button" onClick=${around}>Minutes around</button>
  </div>`;
}

function Raw({ line }) {
  const [copied, setCopied] = useState("");
  const copy = () => navigator.clipboard.writeText(line).then(() => setCopied("Copied"), () => setCopied("The browser did not allow it"));
  return html`<p><button type="button" onClick=${copy}>Copy</button> <span role="status">${copied}</span></p><pre class="raw">${line}</pre>`;
}

function Why({ query, id }) {
  const loaded = useLoaded(`why ${id}`, (signal) => ask("why", query, signal));
  if (loaded.problem) return html`<${Failed} problem=${loaded.problem} retry=${loaded.retry} />`;
  if (!loaded.value) return html`<${Waiting} loaded=${loaded} what="the rules" />`;
  const { then, now, bundle } = loaded.value;
  const explained = new Map(now.map((one) => [one.rule, one]));
  const shown = new Set(then.matches.map((one) => one.rule));
  const others = now.filter((one) => !shown.has(one.rule));
  return html`<div><h3>When it was archived</h3>
    ${then.matches.length ? html`<ul class="matches">${then.matches.map((one) => html`<li key=${one.rule}><${Match} match=${one} /></li>`)}</ul>` : html`<p>No rule is recorded as matching.</p>`}
    ${then.delivery && html`<p class="delivery"><span class=${then.delivery.state === "delivered" ? "yes" : "unsure"}>${then.delivery.state === "delivered" ? "Delivered" : "Delivery not known"}</span> ${sentence(then.delivery.detail)}${then.delivery.state !== "delivered" && html` <code>auditwire dlq list</code> shows what was not taken.`}</p>`}
    <p class="soft">Decided by rules <code>${then.bundle.slice(0, 12) || "unknown"}</code>${bundle && then.bundle ? (bundle === then.bundle ? ", which are in force still." : "; others are in force now.") : "."}</p>
    <h3>By the rules in force now</h3>
    ${now.length ? [...then.matches.map((one) => explained.get(one.rule)).filter(Boolean), ...others].map((one) => html`<${Explained} key=${one.rule} one=${one} />`)
      : html`<p>${bundle ? "No rule matches it now. What was archived is trimmed and redacted, so a rule may have seen more then." : "The rules are not known here: a folder has none."}</p>`}</div>`;
}

const BECAME = {
  alerted: ["alerted", "alerted"], counted: ["counted", "quiet"], excepted: ["excepted", "quiet"], below_priority: ["below priority", "quiet"], later_stage: ["later stage", "quiet"],
  backfill: ["imported", "quiet"], undecided: ["not judged", "unsure"], archived: ["archived", "quiet"], unknown: ["not known", "unsure"],
};

function Match({ match }) {
  const [label, mark] = BECAME[match.became] || [match.became, "unsure"];
  return html`<span class=${`badge ${mark}`}>${label}</span> <bdi class="rule">${match.rule}</bdi><div class="soft"><bdi>${sentence(match.detail)}</bdi></div>`;
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

function Explained({ one }) {
  return html`<article><h4><span class=${`badge ${one.matched ? "yes" : "quiet"}`}>${one.matched ? "matches" : "does not match"}</span> <bdi>${one.rule}</bdi></h4>
    <p><bdi>${sentence(one.because[0] || "nothing is known")}</bdi></p>
    <details><summary>The condition with its values</summary>
      ${one.because.length > 1 && html`<ul>${one.because.slice(1).map((reason) => html`<li><bdi>${reason}</bdi></li>`)}</ul>`}
      <div class="tree"><${Trace} node=${one.tree} /></div></details></article>`;
}

function Trace({ node }) {
  const mark = { true: "true", false: "false" }[String(node.value)] || "unknown";
  return html`<div class=${`trace ${mark}`}><span class="mark">${mark}</span> <code><bdi>${node.text}</bdi></code>
    ${node.actual !== undefined && node.actual !== null && html` <span class="actual">has <bdi>${typeof node.actual === "string" ? node.actual : JSON.stringify(node.actual)}</bdi></span>`}
    ${node.children?.length > 0 && html`<ul>${node.children.map((child) => html`<li><${Trace} node=${child} /></li>`)}</ul>`}</div>`;
}

const STATES = {
  sealed: ["Sealed", "yes"], unsealed: ["Not sealed yet", "unsure"], changed: ["Not as it was sealed", "no"], unknown: ["Not proven", "unsure"],
};

function Evidence({ query, id, fields }) {
  const loaded = useLoaded(`evidence ${id}`, (signal) => ask("evidence", query, signal));
  const [said, setSaid] = useState("");
  if (loaded.problem) return html`<${Failed} problem=${loaded.problem} retry=${loaded.retry} />`;
  if (!loaded.value) return html`<${Waiting} loaded=${loaded} what="the seals" />`;
  const { state, detail, seal, to, key } = loaded.value;
  const [label, mark] = STATES[state] || STATES.unknown;
  const receipt = () => download("receipt", query, `receipt-${fields.audit_id.slice(0, 36)}.json`).catch((problem) => setSaid(problem.message));
  return html`<p class=${`evidence ${mark}`}><strong>${label}</strong>: ${detail}</p>
    ${seal !== undefined && html`<dl><dt>Seal</dt><dd>${seal}, of what arrived before ${to}</dd><dt>Key</dt><dd><code>${key}</code></dd></dl>
      <p><button type="button" onClick=${receipt}>Download the receipt</button> <span role="status">${said}</span></p>
      <p>The receipt proves this one event, with nothing but the public key: <code>auditwire verify --receipt FILE --key seal.pem</code></p>`}`;
}
