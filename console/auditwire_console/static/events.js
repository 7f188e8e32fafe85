// The page of events: histogram, facets, rows, and the event that is open.

import { html, useEffect, useMemo, useRef, useState } from "./vendor/htm-preact.js";
import { agreedTo, ask, download, LOGIN } from "./api.js";
import { Facets, FACETS } from "./facets.js";
import { Histogram } from "./histogram.js";
import { useLoaded } from "./hooks.js";
import { queryOf, withFilter } from "./state.js";
import { bytes, Costly, Coverage, Cut, dollars, Empty, Failed, Waiting } from "./states.js";
import { ColumnMenu, EventTable } from "./table.js";
import { intervalFor, length } from "./time.js";

const PAGE = 100;
const LIVE = 5_000;
const LIVE_WHERE_IT_COSTS = 30_000;
const MAX_PARTS = 4;
const FACETS_OF = { verb: ["verb"], outcome: ["code"] };
const CLASSES = [["2xx", (code) => code < 300], ["3xx", (code) => code < 400], ["4xx", (code) => code < 500], ["5xx", () => true]];

async function summaryFor(state, range, now, facets, signal, note) {
  const query = queryOf(state, range);
  for (const name of facets) query.append("facet", name);
  // Of all time it is not known how long that is, so days are counted first.
  let interval = range.start ? intervalFor((range.end || now) - range.start) : "1d";
  query.set("interval", interval);
  const found = await ask("summary", query, signal, note);
  if (!range.start && found.histogram.length) {
    const first = Date.parse(found.histogram[0].start);
    const last = Date.parse(found.histogram.at(-1).start) + length("1d");
    const finer = intervalFor(last - first);
    if (finer !== interval) {
      interval = finer;
      const again = queryOf(state, range);
      again.set("interval", interval);
      found.histogram = (await ask("summary", again, signal, note)).histogram;
    }
  }
  return { ...found, interval, parts: await partsOf(state, range, found, interval, signal, note) };
}

// The histogram divided by verb or by outcome, one request for each part.
async function partsOf(state, range, found, interval, signal, note) {
  const whole = [{ name: "events", buckets: found.histogram }];
  const groups = groupsOf(state.by, found.facets);
  if (!groups.length) return whole;
  return Promise.all(groups.map(async ([name, pairs]) => {
    const query = queryOf(state, range);
    for (const pair of pairs) query.append("is", pair);
    query.set("interval", interval);
    return { name, buckets: (await ask("summary", query, signal, note)).histogram };
  }));
}

function groupsOf(by, facets) {
  if (by === "verb") return facets.verb.slice(0, MAX_PARTS).map((one) => [one.value || "(none)", [`verb:${one.value}`]]);
  if (by !== "outcome") return [];
  const classes = new Map();
  for (const one of facets.code) {
    if (one.value === null) continue;
    const name = CLASSES.find(([, holds]) => holds(one.value))[0];
    classes.set(name, [...(classes.get(name) || []), `code:${one.value}`]);
  }
  return [...classes].sort();
}

export function Events({ state, range, now, about, recheck, go, zoom, open, live, setLive }) {
  const { fields, priced } = about;
  const [round, setRound] = useState(0);
  const [counted, setCounted] = useState(false);
  const key = `${queryOf(state, range)}`;
  // Where searching costs money, counting values is left until it is wanted, and nothing is read before its price is known.
  const facets = priced && !counted ? (FACETS_OF[state.by] || []) : FACETS;
  const price = useLoaded(`price ${priced ? `${key} ${facets}` : ""}`, (signal) => (priced ? priceOf(state, range, facets, signal) : Promise.resolve(null)));
  const costly = Boolean(price.value) && price.value.dollars > Math.max(price.value.limit, agreedTo(key));
  const ready = !price.loading && !price.problem && !costly;
  const rowsKey = `${key} ${state.order} ${round}`;
  const summary = useLoaded(`summary ${key} ${state.by} ${facets} ${round} ${ready}`, (signal, note) => (ready ? summaryFor(state, range, now, facets, signal, note) : later()));
  const first = useLoaded(`rows ${rowsKey} ${ready}`, (signal, note) => (ready ? rowsFrom(state, range, 0, signal, note) : later()));
  const [further, setFurther] = useState({ key: "", rows: [], more: false });
  const [loading, setLoading] = useState(false);
  const [said, setSaid] = useState("");
  const current = further.key === rowsKey ? further : { key: rowsKey, rows: [], more: Boolean(first.value?.more) };
  const rows = useMemo(() => [...(first.value?.rows || []), ...current.rows], [first.value, current.rows]);
  const latest = useRef();
  latest.current = { rows, current };
  const busy = useRef(false);
  busy.current = first.loading || summary.loading;
  useEffect(() => {
    if (!live) return undefined;
    // A search that takes long is not begun anew before it is done.
    const timer = setInterval(() => busy.current || setRound((before) => before + 1), priced ? LIVE_WHERE_IT_COSTS : LIVE);
    return () => clearInterval(timer);
  }, [live, priced]);
  // Who finds nothing may have lost their rights meanwhile.
  useEffect(() => {
    if (LOGIN && summary.value?.events === 0) recheck();
  }, [summary.value]);
  const running = (what) => what.running && setSaid("Athena is searching …");
  const loadMore = () => {
    if (loading) return;
    setLoading(true);
    rowsFrom(state, range, latest.current.rows.length, undefined, running).then(
      (value) => {
        setFurther({ key: rowsKey, rows: [...latest.current.current.rows, ...value.rows], more: value.more });
        setSaid("");
      },
      (problem) => setSaid(problem.message),
    ).finally(() => setLoading(false));
  };
  const add = (filter) => go(withFilter(state, filter));
  const save = (format, name) => (event) => {
    event.preventDefault();
    setSaid("Exporting …");
    const query = queryOf(state, range);
    query.set("format", format);
    query.set("order", state.order);
    download("export", query, name, running).then((lacks) => setSaid(lacks ? `Exported, but ${lacks}` : "Exported"), (problem) => setSaid(problem.message));
  };
  const total = summary.value?.events;
  const problem = price.problem || first.problem || summary.problem;
  const parts = summary.value?.parts;
  const both = [first, summary];
  const waiting = {
    ...(first.loading ? first : summary),
    running: both.some((one) => one.loading && one.running),
    stopped: both.some((one) => one.stopped),
    cancel: () => both.forEach((one) => one.cancel()),
    retry: () => both.forEach((one) => one.retry()),
  };
  const retry = () => [price, first, summary].forEach((one) => one.retry());
  return html`<div class=${`events-page ${waiting.running ? "searching" : ""}`}>
    <h1 class="visually-hidden">Events</h1>
    <div class="toolbar">
      <p class="total" aria-live="polite" aria-busy=${summary.loading ? "true" : "false"}>${total === undefined ? "" : `${total.toLocaleString("en")} event${total === 1 ? "" : "s"}`}</p>
      ${price.value && !costly && html`<span class="soft">at most ${bytes(price.value.bytes)}, ${dollars(price.value.dollars)}</span>`}
      <span class="gap"></span>
      <label class="wide">Bars by <select value=${state.by} onChange=${(event) => go({ ...state, by: event.target.value })}>
        ${[["", "nothing"], ["verb", "verb"], ["outcome", "outcome"]].map(([value, label]) => html`<option value=${value} selected=${state.by === value}>${label}</option>`)}</select></label>
      <label>Order <select value=${state.order} onChange=${(event) => go({ ...state, order: event.target.value })}>
        ${["newest", "oldest"].map((value) => html`<option value=${value} selected=${state.order === value}>${value} first</option>`)}</select></label>
      <label class="check"><input type="checkbox" checked=${live} onChange=${(event) => setLive(event.target.checked)} /> Live</label>
      <${ColumnMenu} fields=${fields} columns=${state.columns} choose=${(columns) => columns.length && go({ ...state, columns })} />
      <details class="menu"><summary>Export</summary><div class="panel">
        <p><button type="button" onClick=${save("jsonl", "events.jsonl")}>JSON lines, as archived</button></p>
        <p><button type="button" onClick=${save("csv", "events.csv")}>CSV of all fields</button></p>
        <p>${about.answerBytes ? `As much as one answer holds: ${bytes(about.answerBytes)} compressed, within ${about.seconds} seconds.` : "Up to 1,000,000 events."}</p></div></details>
      <span role="status">${said}</span>
    </div>
    <div class="said">
      ${costly && html`<${Costly} price=${price.value} query=${key} retry=${price.retry} />`}
      ${problem && html`<${Failed} problem=${problem} retry=${retry} />`}
      ${!costly && html`<${Waiting} loaded=${waiting} what="the archive" />`}
      <${Cut} coverage=${summary.value?.coverage} />
    </div>
    <div class="over-time">${parts && html`<${Histogram} parts=${parts} interval=${summary.value.interval} zone=${state.zone} zoom=${zoom} range=${range} now=${now} label="Events over time" />`}</div>
    <div class="split">
      <${Facets} facets=${summary.value?.facets} total=${total} add=${add} count=${priced && !counted ? () => setCounted(true) : null} />
      <div class="results" aria-busy=${first.loading ? "true" : "false"}>
        ${rows.length > 0 && html`<${EventTable} rows=${rows} quiet=${first.value?.quiet} columns=${state.columns} zone=${state.zone} open=${open} opened=${state.event}
          more=${current.more} loadMore=${loadMore} loading=${loading} caption="Events" />`}
        ${first.value && !rows.length && !first.loading && html`<${Nothing} state=${state} go=${go} />`}
      </div>
    </div>
    <${Coverage} coverage=${summary.value?.coverage} />
  </div>`;
}

const later = () => new Promise(() => {});

async function priceOf(state, range, facets, signal) {
  const query = queryOf(state, range);
  query.set("interval", "1h");
  for (const name of facets) query.append("facet", name);
  return (await ask("price", query, signal)).price;
}

function rowsFrom(state, range, offset, signal, note) {
  const query = queryOf(state, range);
  query.set("limit", PAGE);
  query.set("offset", offset);
  query.set("order", state.order);
  return ask("rows", query, signal, note);
}

function Nothing({ state, go }) {
  return html`<${Empty}>
    <h2>No events</h2>
    <p>Nothing in the archive meets ${state.filters.length ? "all of these filters" : "this"} in this time. Events that no rule archives are not kept.</p>
    ${state.from !== "" && html`<button type="button" onClick=${() => go({ ...state, from: "", to: "now" })}>Search all time</button>`}
    ${state.filters.length > 0 && html`<button type="button" onClick=${() => go({ ...state, filters: [] })}>Remove the filters</button>`}
  </${Empty}>`;
}

