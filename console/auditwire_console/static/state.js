// The whole state of a search is in the address, so an address can be shared and the browser's history works.

export const PAGES = ["events", "alerts", "rules", "clusters", "ledger"];
export const DEFAULT_COLUMNS = ["time", "verb", "code", "user", "object", "cluster", "rule"];
const LISTS = ["is", "has", "not", "text", "cluster"];

export function readState(search) {
  const given = new URLSearchParams(search);
  const state = { filters: [] };
  for (const op of ["is", "has", "not"]) {
    for (const pair of given.getAll(op)) {
      const colon = pair.indexOf(":");
      if (colon > 0) state.filters.push({ op, field: pair.slice(0, colon), value: pair.slice(colon + 1) });
    }
  }
  for (const value of given.getAll("text")) state.filters.push({ op: "text", field: "", value });
  for (const value of given.getAll("cluster")) state.filters.push({ op: "cluster", field: "cluster", value });
  state.page = PAGES.includes(given.get("page")) ? given.get("page") : "events";
  state.from = given.get("from");
  state.to = given.get("to") || "now";
  state.order = given.get("order") === "oldest" ? "oldest" : "newest";
  state.columns = (given.get("columns") || "").split(",").filter(Boolean);
  if (!state.columns.length) state.columns = DEFAULT_COLUMNS;
  state.by = given.get("by") || "";
  state.zone = given.get("zone") === "utc" ? "utc" : "local";
  state.event = given.get("event") || "";
  state.rule = given.get("rule") || "";
  return state;
}

export function writeState(state) {
  const out = new URLSearchParams();
  if (state.page !== "events") out.set("page", state.page);
  for (const filter of state.filters) appendFilter(out, filter);
  if (state.from !== null) out.set("from", state.from);
  if (state.to !== "now") out.set("to", state.to);
  if (state.order !== "newest") out.set("order", state.order);
  if (state.columns.join() !== DEFAULT_COLUMNS.join()) out.set("columns", state.columns.join());
  for (const name of ["by", "event", "rule"]) if (state[name]) out.set(name, state[name]);
  if (state.zone === "utc") out.set("zone", "utc");
  const text = out.toString();
  return text ? `?${text}` : "/";
}

function appendFilter(out, { op, field, value }) {
  out.append(op, LISTS.indexOf(op) < 3 ? `${field}:${value}` : value);
}

// The parameters of the API for a state; `range` has the resolved times.
export function queryOf(state, range) {
  const out = new URLSearchParams();
  for (const filter of state.filters) appendFilter(out, filter);
  if (range.start) out.set("start", range.start.toISOString());
  if (range.end) out.set("end", range.end.toISOString());
  return out;
}

// What somebody typed: `verb:create`, `-verb:get`, `name~web`, or a text.
export function parseTyped(typed, fields, fuzzy) {
  const match = /^(-?)([a-z_]+)([:~])(.+)$/s.exec(typed.trim());
  if (!match || !(match[2] in fields)) return { op: "text", field: "", value: typed.trim() };
  const [, minus, field, sign, value] = match;
  const loose = (sign === "~" || fuzzy) && fields[field] !== "number";
  return { op: minus ? "not" : loose ? "has" : "is", field, value };
}

export function sameFilter(one, other) {
  return one.op === other.op && one.field === other.field && one.value === other.value;
}

export function withFilter(state, filter) {
  if (!filter.value || state.filters.some((one) => sameFilter(one, filter))) return state;
  return { ...state, filters: [...state.filters, filter], event: "" };
}

export function withoutFilter(state, filter) {
  return { ...state, filters: state.filters.filter((one) => !sameFilter(one, filter)), event: "" };
}
