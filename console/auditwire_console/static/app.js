// The console: the state in the address, the pages, and what is open.

import { html, render, useCallback, useEffect, useMemo, useState } from "./vendor/htm-preact.js";
import { ask, LOGIN, takeToken } from "./api.js";
import { Detail } from "./detail.js";
import { Events } from "./events.js";
import { useLoaded, useRemembered } from "./hooks.js";
import { Alerts, Clusters, Ledger, Rules } from "./pages.js";
import { SearchBar, Searches } from "./searchbar.js";
import { NoRights, SignedIn } from "./session.js";
import { PAGES, readState, withFilter, writeState } from "./state.js";
import { Failed, Waiting } from "./states.js";
import { idOf } from "./table.js";
import { rangeOf } from "./time.js";

const RECENT = 12;
const ICON = new URL("icon.svg", import.meta.url).href;
const KEYS = [["/", "search"], ["j, k or ↓, ↑", "next and last event"], ["Enter", "open it"], ["Esc", "close it"], ["← →", "move over bars and tabs"], ["?", "these keys"]];

function App() {
  const about = useLoaded("about", (signal) => ask("about", "", signal));
  const [state, setState] = useState(() => readState(location.search));
  const [recent, setRecent] = useRemembered("recent", []);
  const [theme, setTheme] = useRemembered("theme", "");
  const [live, setLive] = useState(false);
  const [help, setHelp] = useState(false);
  const [asked, setAsked] = useState(() => new Date());
  useEffect(() => {
    const back = () => setState(readState(location.search));
    const keys = (event) => event.key === "?" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName || "") && setHelp((before) => !before);
    addEventListener("popstate", back);
    addEventListener("keydown", keys);
    return () => { removeEventListener("popstate", back); removeEventListener("keydown", keys); };
  }, []);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const settled = state.from === null && about.value ? { ...state, from: about.value.live ? "now-24h" : "" } : state;
  const go = useCallback((next) => {
    const address = writeState(next);
    if (address !== location.pathname + location.search && address !== location.search) history.pushState(null, "", address);
    setState(next);
    setAsked(new Date());
    const bare = writeState({ ...next, event: "", rule: "" });
    if (next.page === "events" && next.filters.length && bare !== recent[0]) setRecent([bare, ...recent.filter((one) => one !== bare)].slice(0, RECENT));
  }, [recent]);
  const range = useMemo(() => rangeOf(settled, asked), [settled.from, settled.to, asked]);
  const zoom = (start, end) => go({ ...settled, page: settled.page, from: start.toISOString(), to: end.toISOString(), event: "" });
  const open = (row) => go({ ...settled, event: idOf(row) });
  const close = () => {
    const from = settled.event;
    go({ ...settled, event: "" });
    requestAnimationFrame(() => (document.querySelector("tr.opened button.open") || document.querySelector("button.open"))?.focus());
    return from;
  };
  const common = { state: settled, range, now: asked, go, zoom, open };
  const pages = { events: Events, alerts: Alerts, rules: Rules, clusters: Clusters, ledger: Ledger };
  const Page = pages[settled.page];
  return html`
    <header class="top">
      <a class="skip" href="#main">To the content</a>
      <span class="brand"><img src=${ICON} alt="" width="22" height="22" /> auditwire</span>
      <nav aria-label="Pages">${PAGES.map((name) => html`<a href=${writeState({ ...settled, page: name, event: "", rule: "" })} aria-current=${settled.page === name ? "page" : undefined}
        onClick=${(event) => { if (!event.metaKey && !event.ctrlKey) { event.preventDefault(); go({ ...settled, page: name, event: "", rule: "" }); } }}>${name[0].toUpperCase()}${name.slice(1)}</a>`)}</nav>
      <span class="source" title="What is shown"><bdi>${about.value?.title || ""}</bdi></span>
      ${LOGIN && about.value && html`<${SignedIn} name=${about.value.viewer} />`}
      <label class="theme">Theme <select value=${theme} onChange=${(event) => setTheme(event.target.value)}>${[["", "system"], ["light", "light"], ["dark", "dark"]].map(([value, label]) => html`<option value=${value} selected=${theme === value}>${label}</option>`)}</select></label>
      <button type="button" class="plain keys" aria-expanded=${help} onClick=${() => setHelp(!help)}>Keys</button>
    </header>
    ${help && html`<section class="help" aria-label="Keys"><dl>${KEYS.map(([key, what]) => html`<dt><kbd>${key}</kbd></dt><dd>${what}</dd>`)}</dl></section>`}
    <main id="main" class=${settled.event ? "with-detail" : ""}>
      ${about.problem && html`<h1>auditwire</h1><${Failed} problem=${about.problem} retry=${about.retry} />`}
      <${Waiting} loaded=${about} what="the archive" />
      ${about.value?.seesNothing && html`<${NoRights} about=${about.value} retry=${about.retry} />`}
      ${about.value && !about.value.seesNothing && html`
        <div class="content">
          ${settled.page !== "ledger" && html`<${SearchBar} state=${settled} fields=${about.value.fields} go=${go}
            searches=${html`<${Searches} state=${settled} go=${go} write=${writeState} read=${readState} />`} />`}
          <${Page} ...${common} about=${about.value} recheck=${about.retry} live=${live} setLive=${setLive} />
        </div>
        ${settled.event && html`<${Detail} key=${settled.event} id=${settled.event} state=${settled} go=${go} close=${close}
          add=${(filter) => go(withFilter(settled, filter))} />`}`}
    </main>`;
}

takeToken();
render(html`<${App} />`, document.getElementById("app"));
