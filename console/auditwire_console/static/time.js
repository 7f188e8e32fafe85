// Times: relative ones such as now-1h, and how moments are shown.

const UNITS = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
export const PRESETS = [
  ["now-15m", "Last 15 minutes"], ["now-1h", "Last hour"], ["now-12h", "Last 12 hours"], ["now-24h", "Last 24 hours"],
  ["now-7d", "Last 7 days"], ["now-30d", "Last 30 days"], ["", "All time"],
];
const STEPS = ["1s", "5s", "10s", "30s", "1m", "5m", "10m", "30m", "1h", "3h", "6h", "12h", "1d", "7d", "30d"];
const BARS = 80;

export function moment(text, now) {
  if (!text) return null;
  if (text === "now") return now;
  const relative = /^now-([0-9]{1,6})([smhdw])$/.exec(text);
  if (relative) return new Date(now.getTime() - Number(relative[1]) * UNITS[relative[2]]);
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? null : at;
}

// From and to of a state as moments. An end of `now` is left open: events that arrive meanwhile are found.
export function rangeOf(state, now) {
  return { start: moment(state.from, now), end: state.to === "now" ? null : moment(state.to, now) };
}

export function length(interval) {
  const match = /^([0-9]+)([smhdw])$/.exec(interval);
  return Number(match[1]) * UNITS[match[2]];
}

export function intervalFor(milliseconds) {
  return STEPS.find((step) => milliseconds / length(step) <= BARS) || "30d";
}

export function shown(value, zone, { seconds = true, date = true } = {}) {
  if (!value) return "";
  const at = new Date(value);
  if (Number.isNaN(at.getTime())) return String(value);
  const two = (number) => String(number).padStart(2, "0");
  const get = (name) => (zone === "utc" ? at[`getUTC${name}`]() : at[`get${name}`]());
  const day = `${String(get("FullYear")).padStart(4, "0")}-${two(get("Month") + 1)}-${two(get("Date"))}`;
  const clock = `${two(get("Hours"))}:${two(get("Minutes"))}${seconds ? `:${two(get("Seconds"))}` : ""}`;
  return date ? `${day} ${clock}` : clock;
}

export function ago(value, now) {
  if (!value) return "never";
  const seconds = Math.max(0, (now - new Date(value)) / 1000);
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    const count = Math.floor(seconds / size);
    if (count) return `${count} ${unit}${count > 1 ? "s" : ""} ago`;
  }
  return `${Math.floor(seconds)} s ago`;
}

// For <input type="datetime-local">, which has no zone.
export function forInput(at, zone) {
  return at ? shown(at, zone).replace(" ", "T") : "";
}

export function fromInput(text, zone) {
  if (!text) return "";
  const at = new Date(zone === "utc" ? `${text}Z` : text);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString();
}
