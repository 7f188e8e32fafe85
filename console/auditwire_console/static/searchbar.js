// The search: what is looked for as chips, and when.

import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { parseTyped, withFilter, withoutFilter } from "./state.js";
import { forInput, fromInput, moment, PRESETS, shown } from "./time.js";
import { useRemembered } from "./hooks.js";

const WORDS = { is: "is", has: "contains", not: "is not", text: "text", cluster: "is" };
const FLIPPED = { is: "not", not: "is" };

function Chip({ filter, change, remove }) {
  const label = filter.op === "text" ? `text “${filter.value}”` : `${filter.field} ${WORDS[filter.op]} ${filter.value}`;
  const flip = FLIPPED[filter.op];
  return html`<li class=${`chip ${filter.op}`}>
    ${flip
      ? html`<button type="button" class="plain label" title="Turn round" onClick=${() => change({ ...filter, op: flip })}><bdi>${label}</bdi></button>`
      : html`<span class="label"><bdi>${label}</bdi></span>`}
    <button type="button" class="plain" aria-label=${`Remove ${label}`} onClick=${remove}>×</button>
  </li>`;
}

export function SearchBar({ state, fields, go, searches }) {
  const [typed, setTyped] = useState("");
  const [fuzzy, setFuzzy] = useRemembered("fuzzy", false);
  const input = useRef(null);
  useEffect(() => {
    const focus = (event) => {
      if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName || "")) {
        event.preventDefault();
        input.current?.focus();
      }
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);
  const submit = (event) => {
    event.preventDefault();
    if (!typed.trim()) return;
    go(withFilter(state, parseTyped(typed, fields, fuzzy)));
    setTyped("");
  };
  const word = /([a-z_]*)$/.exec(typed)?.[1] || "";
  const offered = Object.keys(fields).filter((name) => name.startsWith(word));
  return html`<section class="search" aria-label="Search">
    <form role="search" onSubmit=${submit}>
      <label for="typed" class="visually-hidden">Search events</label>
      <input id="typed" ref=${input} type="search" list="fields" autocomplete="off" spellcheck="false" maxlength="70000"
        placeholder="verb:create   -user:jane   name~web   or any text" value=${typed} onInput=${(event) => setTyped(event.target.value)} />
      <datalist id="fields">${offered.map((name) => html`<option value=${`${name}:`} />`)}</datalist>
      <label class="check"><input type="checkbox" checked=${fuzzy} onChange=${(event) => setFuzzy(event.target.checked)} /> Part of a value, any case</label>
      <button type="submit">Search</button>
    </form>
    ${state.filters.length > 0 && html`<ul class="chips" aria-label="Filters">
      ${state.filters.map((filter) => html`<${Chip} key=${`${filter.op}:${filter.field}:${filter.value}`} filter=${filter}
        change=${(next) => go(withFilter(withoutFilter(state, filter), next))}
        remove=${() => go(withoutFilter(state, filter))} />`)}
      <li><button type="button" class="plain" onClick=${() => go({ ...state, filters: [], event: "" })}>Clear all</button></li>
    </ul>`}
    <div class="when">
      <${Times} state=${state} go=${go} />
      ${searches}
    </div>
  </section>`;
}

function Times({ state, go }) {
  const preset = state.to === "now" && PRESETS.some(([from]) => from === state.from);
  const now = new Date();
  const choose = (event) => {
    const value = event.target.value;
    if (value === "absolute") {
      const start = moment(state.from, now) || new Date(now.getTime() - 864e5);
      go({ ...state, from: start.toISOString(), to: now.toISOString(), event: "" });
    } else go({ ...state, from: value, to: "now", event: "" });
  };
  const edge = (name) => (event) => {
    const value = fromInput(event.target.value, state.zone);
    go({ ...state, [name]: value || (name === "to" ? "now" : ""), event: "" });
  };
  return html`<label>Time
      <select value=${preset ? state.from : "absolute"} onChange=${choose}>
        ${PRESETS.map(([from, label]) => html`<option value=${from} selected=${preset && state.from === from}>${label}</option>`)}
        <option value="absolute" selected=${!preset}>From … to …</option>
      </select>
    </label>
    ${!preset && html`
      <label>From <input type="datetime-local" step="1" value=${forInput(moment(state.from, now), state.zone)} onChange=${edge("from")} /></label>
      <label>To <input type="datetime-local" step="1" value=${forInput(moment(state.to, now), state.zone)} onChange=${edge("to")} /></label>`}
    <label>Shown in
      <select value=${state.zone} onChange=${(event) => go({ ...state, zone: event.target.value })}>
        <option value="local" selected=${state.zone === "local"}>local time</option>
        <option value="utc" selected=${state.zone === "utc"}>UTC</option>
      </select>
    </label>`;
}

export function Searches({ state, go, write, read }) {
  const [saved, setSaved] = useRemembered("saved", []);
  const [recent] = useRemembered("recent", []);
  const [name, setName] = useState("");
  const here = write({ ...state, event: "" });
  const save = (event) => {
    event.preventDefault();
    if (!name.trim()) return;
    setSaved([{ name: name.trim(), search: here }, ...saved.filter((one) => one.name !== name.trim())].slice(0, 50));
    setName("");
  };
  const open = (search) => (event) => {
    event.preventDefault();
    go(read(search));
  };
  return html`<details class="menu"><summary>Searches</summary><div class="panel">
    <form onSubmit=${save}>
      <label>Save this search as <input value=${name} maxlength="80" onInput=${(event) => setName(event.target.value)} /></label>
      <button type="submit">Save</button>
    </form>
    <h3>Saved</h3>
    ${saved.length ? html`<ul>${saved.map((one) => html`<li><a href=${one.search} onClick=${open(one.search)}>${one.name}</a>
      <button type="button" class="plain" aria-label=${`Forget ${one.name}`} onClick=${() => setSaved(saved.filter((other) => other !== one))}>×</button></li>`)}</ul>` : html`<p>None. They are kept in this browser.</p>`}
    <h3>Recent</h3>
    ${recent.length ? html`<ul>${recent.map((search) => html`<li><a href=${search} onClick=${open(search)}>${summaryOf(read(search))}</a></li>`)}</ul>` : html`<p>None.</p>`}
  </div></details>`;
}

function summaryOf(state) {
  const parts = state.filters.map((one) => (one.op === "text" ? one.value : `${one.op === "not" ? "-" : ""}${one.field}${one.op === "has" ? "~" : ":"}${one.value}`));
  const when = PRESETS.find(([from]) => from === state.from && state.to === "now")?.[1]
    || `${shown(state.from, state.zone)} to ${state.to === "now" ? "now" : shown(state.to, state.zone)}`;
  return `${parts.join(" ").slice(0, 80) || "everything"}, ${when.toLowerCase()}`;
}
