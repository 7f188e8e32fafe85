// The pages beside the events: alerts, rules, clusters and the ledger.

import { html } from "./vendor/htm-preact.js";
import { ask } from "./api.js";
import { Histogram } from "./histogram.js";
import { useLoaded } from "./hooks.js";
import { queryOf } from "./state.js";
import { Coverage, Cut, Empty, Failed, Waiting } from "./states.js";
import { EventTable } from "./table.js";
import { ago, intervalFor, shown } from "./time.js";

const number = (value) => value.toLocaleString("en");

function useOfTime(path, state, range, more = {}) {
  const query = queryOf(state, range);
  for (const [name, value] of Object.entries(more)) query.set(name, value);
  const loaded = useLoaded(`${path} ${query}`, (signal) => ask(path, query, signal));
  const around = loaded.problem ? html`<${Failed} problem=${loaded.problem} retry=${loaded.retry} />`
    : html`<${Waiting} loaded=${loaded} what="the archive" /><${Cut} coverage=${loaded.value?.coverage} />`;
  return [loaded.value, around, loaded];
}

const spanOf = (range, now) => intervalFor((range.end || now) - (range.start || new Date(now - 30 * 864e5)));

export function Alerts({ state, range, now, zoom, open }) {
  const interval = spanOf(range, now);
  const [value, around] = useOfTime("alerts", state, range, { interval, limit: 200 });
  return html`<h1>Alerts</h1>${around}${value && (value.events === 0
    ? html`<${Empty}><p>No archived event of this time made a rule alert.</p></${Empty}>`
    : html`<p aria-live="polite">${number(value.events)} events made a rule alert.</p>
      <${Histogram} parts=${[{ name: "alerts", buckets: value.histogram }]} interval=${interval} zone=${state.zone} zoom=${zoom} range=${range} now=${now} label="Alerting events over time" />
      <table class="plain-table"><caption>By rule</caption><thead><tr><th scope="col">rule</th><th scope="col">events</th></tr></thead>
        <tbody>${value.facets.alert.filter((one) => one.value).map((one) => html`<tr><th scope="row"><bdi>${one.value}</bdi></th><td>${number(one.count)}</td></tr>`)}</tbody></table>
      <${EventTable} rows=${value.rows} columns=${["time", "alert", "user", "verb", "object", "cluster"]} zone=${state.zone} open=${open} opened=${state.event} caption="The newest alerting events" />
      <${Coverage} coverage=${value.coverage} />`)}`;
}

export function Rules({ state, range, now, go, zoom }) {
  const [value, around] = useOfTime("rules", state, range);
  const show = (name) => () => go({ ...state, rule: state.rule === name ? "" : name });
  return html`<h1>Rules</h1>${around}${value && html`
    ${!value.known && html`<p>The rules themselves are not known here, only which of them matched.</p>`}
    <table class="plain-table"><caption>Rules by what they matched in this time</caption>
      <thead><tr><th scope="col">rule</th><th scope="col">matches</th><th scope="col">priority</th><th scope="col">in force</th><th scope="col">description</th></tr></thead>
      <tbody>${value.rules.map((one) => html`<tr key=${one.rule}><th scope="row"><button type="button" class="plain" aria-expanded=${state.rule === one.rule} onClick=${show(one.rule)}><bdi>${one.rule}</bdi></button></th>
        <td>${number(one.matches)}</td><td>${one.priority}</td><td>${value.known ? (one.inForce ? "yes" : "no") : ""}</td><td><bdi>${one.description}</bdi></td></tr>
        ${state.rule === one.rule && html`<tr class="inner"><td colspan="5"><${RuleDetail} name=${one.rule} state=${state} range=${range} now=${now} go=${go} zoom=${zoom} /></td></tr>`}`)}</tbody></table>
    <${Coverage} coverage=${value.coverage} />`}`;
}

function RuleDetail({ name, state, range, now, go, zoom }) {
  const interval = spanOf(range, now);
  const [value, around] = useOfTime("rule", state, range, { rule: name, interval });
  if (!value) return around;
  if (!value.events) return html`<p>It matched nothing that is archived.</p>`;
  const filters = [{ op: "is", field: "rule", value: name }];
  return html`<${Histogram} parts=${[{ name, buckets: value.histogram }]} interval=${interval} zone=${state.zone} zoom=${zoom} range=${range} now=${now} label=${`Matches of ${name} over time`} />
    <div class="noise">${["user", "namespace", "object", "cluster"].map((field) => html`<div><h2>${field}</h2><ul>${value.facets[field].map((one) => html`<li><bdi>${one.value || "(none)"}</bdi> <span class="count">${number(one.count)}</span></li>`)}</ul></div>`)}</div>
    <p><button type="button" onClick=${() => go({ ...state, page: "events", filters, rule: "", event: "" })}>Show these events</button></p>`;
}

export function Clusters({ state, range, now, go }) {
  const [value, around] = useOfTime("clusters", state, range);
  const hours = Math.max(1, ((range.end || now) - (range.start || new Date(now - 864e5))) / 36e5);
  const silent = (one) => one.credentials.some((each) => each.silence_seconds && each.last_seen && (now - new Date(each.last_seen)) / 1000 > each.silence_seconds);
  return html`<h1>Clusters</h1>${around}${value && (value.clusters.length === 0
    ? html`<${Empty}><p>No cluster has events in this time.</p></${Empty}>`
    : html`<table class="plain-table"><caption>Clusters and what came of them in this time</caption>
      <thead><tr><th scope="col">cluster</th><th scope="col">events</th><th scope="col">an hour</th><th scope="col">newest event</th><th scope="col">last request</th><th scope="col">state</th></tr></thead>
      <tbody>${value.clusters.map((one) => html`<tr key=${one.cluster}><th scope="row"><button type="button" class="plain" onClick=${() => go({ ...state, page: "events", event: "", filters: [{ op: "cluster", field: "cluster", value: one.cluster }] })}>${one.cluster}</button></th>
        <td>${number(one.events)}</td><td>${number(Math.round(one.events / hours))}</td><td>${one.newest ? html`${shown(one.newest, state.zone)} (${ago(one.newest, now)})` : "none"}</td>
        <td>${one.credentials.length ? one.credentials.map((each) => html`<div>${each.sender}: ${ago(each.last_seen, now)}</div>`) : "not registered here"}</td>
        <td>${silent(one) ? html`<strong class="no">silent</strong>` : one.credentials.map((each) => each.state).join(", ")}</td></tr>`)}</tbody></table>
      <${Coverage} coverage=${value.coverage} />`)}`;
}

export function Ledger({ state }) {
  const loaded = useLoaded("ledger", (signal) => ask("ledger", "", signal));
  const ledger = loaded.value?.ledger;
  return html`<h1>Ledger</h1>
    ${loaded.problem && html`<${Failed} problem=${loaded.problem} retry=${loaded.retry} />`}<${Waiting} loaded=${loaded} what="the counts" />
    ${loaded.value && !ledger && html`<${Empty}><p>A folder has no ledger: it is counted where events arrive.</p></${Empty}>`}
    ${ledger && html`<p class=${ledger.balances ? "evidence yes" : "evidence no"}><strong>${ledger.balances ? "Every settled hour balances" : "An hour does not balance"}</strong></p>
      <table class="plain-table"><caption>What every step counted, by cluster and hour</caption>
      <thead><tr>${Object.keys(ledger.rows[0] || {}).filter((name) => typeof ledger.rows[0][name] !== "object").map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${ledger.rows.map((row) => html`<tr>${Object.entries(row).filter(([, value]) => typeof value !== "object").map(([name, value]) => html`<td>${name === "hour" ? shown(value, state.zone, { seconds: false }) : String(value)}</td>`)}</tr>`)}</tbody></table>`}`;
}

