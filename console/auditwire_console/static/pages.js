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
  const loaded = useLoaded(`${path} ${query}`, (signal, note) => ask(path, query, signal, note));
  const around = loaded.problem ? html`<${Failed} problem=${loaded.problem} retry=${loaded.retry} />`
    : html`<${Waiting} loaded=${loaded} what="the archive" /><${Cut} coverage=${loaded.value?.coverage} />`;
  return [loaded.value, around, loaded];
}

const spanOf = (range, now) => intervalFor((range.end || now) - (range.start || new Date(now - 30 * 864e5)));

export function Alerts({ state, range, now, zoom, open }) {
  const interval = spanOf(range, now);
  const [value, around] = useOfTime("alerts", state, range, { interval, limit: 200 });
  if (!value) return html`<div><h1>Alerts</h1>${around}</div>`;
  const quiet = value.quiet.reduce((sum, one) => sum + one.count, 0);
  const below = quiet > 0 && html`<details><summary>${number(quiet)} matches of alerting rules raised no alert by themselves: below alertingPriority, or counted for a threshold</summary><${RuleCounts} counts=${value.quiet} /></details>`;
  return html`<div><h1>Alerts</h1>${around}
    ${value.events === 0
      ? html`<${Empty}><p>No archived event of this time made a rule alert.</p></${Empty}>${below}`
      : html`<p aria-live="polite"><strong>${number(value.events)} event${value.events === 1 ? "" : "s"}</strong> on which a rule alerts${value.known ? "" : ", whatever its priority: the rules are not known here"}. An exception may have kept the alert back: <em>Why</em> of an event says so.</p>
      <${Histogram} parts=${[{ name: "alerts", buckets: value.histogram }]} interval=${interval} zone=${state.zone} zoom=${zoom} range=${range} now=${now} label="Alerting events over time" />
      <${RuleCounts} counts=${value.rules} />${below}
      <${EventTable} rows=${value.rows} quiet=${value.quiet.map((one) => one.rule)} columns=${["time", "alert", "user", "verb", "object", "cluster"]} zone=${state.zone} open=${open} opened=${state.event} caption="The newest alerting events" />
      ${value.more && html`<p class="soft">These are the newest ${number(value.rows.length)}. A shorter time shows others.</p>`}
      <${Coverage} coverage=${value.coverage} />`}</div>`;
}

const FIRST = 6;

function RuleCounts({ counts }) {
  const most = Math.max(...counts.map((one) => one.count), 1);
  const list = (some) => html`<ol class="counts" aria-label="Events by rule">${some.map((one) => html`<li key=${one.rule}><bdi>${one.rule}</bdi><span class="count">${number(one.count)}</span><span class="share" aria-hidden="true" style=${{ width: `${(100 * one.count) / most}%` }}></span></li>`)}</ol>`;
  return html`<div>${list(counts.slice(0, FIRST))}${counts.length > FIRST && html`<details><summary>${number(counts.length - FIRST)} more rules</summary>${list(counts.slice(FIRST))}</details>`}</div>`;
}

export function Rules({ state, range, now, go, zoom }) {
  const [value, around] = useOfTime("rules", state, range);
  const show = (name) => () => go({ ...state, rule: state.rule === name ? "" : name });
  return html`<div><h1>Rules</h1>${around}${value && html`
    ${!value.known && html`<p>The rules themselves are not known here, only which of them matched.</p>`}
    <div class="table"><table class="plain-table"><caption>Rules by what they matched in this time</caption>
      <thead><tr><th scope="col">rule</th><th scope="col" class="number">matches</th><th scope="col">priority</th><th scope="col">in force</th><th scope="col">description</th></tr></thead>
      <tbody>${value.rules.map((one) => html`<tr key=${one.rule}><th scope="row"><button type="button" class="plain" aria-expanded=${state.rule === one.rule} onClick=${show(one.rule)}><bdi>${one.rule}</bdi></button></th>
        <td class="number">${number(one.matches)}</td><td>${one.priority}</td><td>${value.known ? (one.inForce ? "yes" : "no") : ""}</td><td class="long"><bdi>${one.description}</bdi></td></tr>
        ${state.rule === one.rule && html`<tr class="inner"><td colspan="5"><${RuleDetail} name=${one.rule} state=${state} range=${range} now=${now} go=${go} zoom=${zoom} /></td></tr>`}`)}</tbody></table></div>
    <${Coverage} coverage=${value.coverage} />`}</div>`;
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
  return html`<div><h1>Clusters</h1>${around}${value && (value.clusters.length === 0
    ? html`<${Empty}><p>No cluster has events in this time.</p></${Empty}>`
    : html`<div class="table"><table class="plain-table"><caption>Clusters and what came of them in this time</caption>
      <thead><tr><th scope="col">cluster</th><th scope="col" class="number">events</th><th scope="col" class="number">an hour</th><th scope="col">newest event</th><th scope="col">last request</th><th scope="col">state</th></tr></thead>
      <tbody>${value.clusters.map((one) => html`<tr key=${one.cluster}><th scope="row"><button type="button" class="plain" onClick=${() => go({ ...state, page: "events", event: "", filters: [{ op: "cluster", field: "cluster", value: one.cluster }] })}>${one.cluster}</button></th>
        <td class="number">${number(one.events)}</td><td class="number">${number(Math.round(one.events / hours))}</td><td>${one.newest ? html`${shown(one.newest, state.zone)} (${ago(one.newest, now)})` : "none"}</td>
        <td>${one.credentials.length ? one.credentials.map((each) => html`<div>${each.sender}: ${ago(each.last_seen, now)}</div>`) : "not registered here"}</td>
        <td>${silent(one) ? html`<strong class="no">silent</strong>` : one.credentials.map((each) => each.state).join(", ")}</td></tr>`)}</tbody></table></div>
      <${Coverage} coverage=${value.coverage} />`)}</div>`;
}

// The counts that are always shown; others are if any hour has some.
const COUNTS = ["received", "ignored", "archived", "quarantined", "published", "delivered", "waiting"];
const RARE = ["skipped", "not_stored", "not_published", "refused", "outboxed", "dead_lettered", "missing_events", "missing_alerts", "repeated"];

export function Ledger({ state }) {
  const loaded = useLoaded("ledger", (signal) => ask("ledger", "", signal));
  const ledger = loaded.value?.ledger;
  const rows = [...(ledger?.rows || [])].sort((one, other) => (one.hour < other.hour ? 1 : one.hour > other.hour ? -1 : one.cluster < other.cluster ? -1 : 1));
  const names = [...COUNTS, ...RARE.filter((name) => rows.some((row) => row[name]))];
  const verdict = (row) => (row.balances ? (row.settled ? "yes" : "so far") : row.settled ? html`<strong class="no">no</strong>` : "not yet");
  return html`<div><h1>Ledger</h1>
    ${loaded.problem && html`<${Failed} problem=${loaded.problem} retry=${loaded.retry} />`}<${Waiting} loaded=${loaded} what="the counts" />
    ${loaded.value && !ledger && html`<${Empty}><p>A folder has no ledger: it is counted where events arrive.</p></${Empty}>`}
    ${ledger && !rows.length && html`<${Empty}><p>Nothing was counted in the last day.</p></${Empty}>`}
    ${rows.length > 0 && html`<p class=${ledger.balances ? "evidence yes" : "evidence no"}><strong>${ledger.balances ? "Every settled hour balances" : "An hour does not balance"}</strong></p>
      ${rows.flatMap((row) => row.findings.map((one) => html`<p key=${`${row.cluster}${row.hour}${one.code}`} class=${one.loss ? "no" : "soft"}><bdi>${row.cluster}</bdi>, ${shown(row.hour, state.zone, { seconds: false })}: ${one.sentence} (<code>${one.read}</code>).</p>`))}
      <div class="table"><table class="plain-table"><caption>What every step counted in the last day, by hour and cluster, the newest first. An hour is settled 15 minutes after its end.</caption>
      <thead><tr><th scope="col">hour</th><th scope="col">cluster</th>${names.map((name) => html`<th scope="col" class="number">${name.replaceAll("_", " ")}</th>`)}<th scope="col">balances</th></tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${`${row.cluster}${row.hour}`}><td class="moment">${shown(row.hour, state.zone, { seconds: false })}</td><th scope="row"><bdi>${row.cluster}</bdi></th>${names.map((name) => html`<td class="number">${number(row[name])}</td>`)}<td>${verdict(row)}</td></tr>`)}</tbody></table></div>`}</div>`;
}
