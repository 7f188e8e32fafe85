// Requests to the console's API. The token came in the address's fragment, which never leaves the browser.

const NAME = "auditwire-token";

export function takeToken() {
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

async function request(path, query, signal) {
  const headers = { authorization: `Bearer ${localStorage.getItem(NAME) || ""}` };
  const sent = new URLSearchParams(query);
  if (agreedTo(query)) sent.set("pay", agreedTo(query));
  let response;
  try {
    response = await fetch(`/api/${path}?${sent}`, { headers, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "The console does not answer. Is `auditwire console` still running?");
  }
  if (!response.ok) {
    const body = await response.json().catch(() => ({}));
    const problem = new Problem(response.status, body.problem || `The console answered ${response.status}.`, body.price);
    problem.query = query;
    throw problem;
  }
  return response;
}

export async function ask(path, query, signal) {
  return (await request(path, query, signal)).json();
}

export async function download(path, query, name) {
  const blob = await (await request(path, query)).blob();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
