// Requests to the console's API. Where people sign in, the browser sends their session by itself. Elsewhere the token
// came in the address's fragment, which never leaves the browser.

const NAME = "auditwire-token";
const PAUSE = 500;

// The path at which people sign in; empty where a token lets them in.
export const LOGIN = document.getElementById("app").dataset.login;

export function takeToken() {
  // No link may put a token of its own in place of a session.
  if (LOGIN) return;
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    localStorage.setItem(NAME, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
}

export class Problem extends Error {
  constructor(status, message, price = null) {
    super(message);
    this.status = status;
    this.price = price;
  }
}

// What somebody agreed to pay for a search, by the search. It is forgotten with the page.
const agreed = new Map();
const OF_ANSWERS = ["limit", "offset", "order", "interval", "facet", "format", "rule"];

function searchOf(query) {
  const search = new URLSearchParams(query);
  for (const name of OF_ANSWERS) search.delete(name);
  return `${search}`;
}

export const agree = (query, dollars) => agreed.set(searchOf(query), dollars);
export const agreedTo = (query) => agreed.get(searchOf(query)) || 0;

let known = false;

// Whether the console has answered before, so that whoever it does not know now was known.
export const wasKnown = () => known;

const pause = (signal) => new Promise((done, fail) => {
  const timer = setTimeout(done, PAUSE);
  signal?.addEventListener("abort", () => {
    clearTimeout(timer);
    fail(signal.reason);
  });
});

async function fetched(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, LOGIN ? "The console does not answer. Is this machine online?" : "The console does not answer. Is `auditwire console` still running?");
  }
}

// The answer. What takes longer than one answer may is asked for again, by the same name, until it is done; `note` is
// told meanwhile.
async function request(path, query, signal, note) {
  const headers = LOGIN ? {} : { authorization: `Bearer ${localStorage.getItem(NAME) || ""}` };
  const sent = new URLSearchParams(query);
  if (agreedTo(query)) sent.set("pay", agreedTo(query));
  sent.set("search", crypto.randomUUID());
  let response = await fetched(`/api/${path}?${sent}`, { headers, signal });
  while (response.status === 202) {
    note?.({ running: true });
    await pause(signal);
    response = await fetched(`/api/${path}?${sent}`, { headers, signal });
  }
  if (!response.ok) {
    const body = await response.json().catch(() => ({}));
    const problem = new Problem(response.status, body.problem || `The console answered ${response.status}.`, body.price);
    problem.query = query;
    throw problem;
  }
  known = true;
  return response;
}

export async function ask(path, query, signal, note) {
  return (await request(path, query, signal, note)).json();
}

// Saves an answer as a file. What the answer lacks, if it lacks something.
export async function download(path, query, name, note) {
  const response = await request(path, query, undefined, note);
  const blob = await response.blob();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return /"(.*)"/.exec(response.headers.get("warning") || "")?.[1] || "";
}
