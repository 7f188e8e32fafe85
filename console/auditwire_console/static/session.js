// Signing in and out, where people do.

import { html, useState } from "./vendor/htm-preact.js";
import { LOGIN } from "./api.js";

const SIGNED_OUT = "auditwire-signed-out";

// Where to sign in, and to come back to what is looked at now.
const address = () => `${LOGIN}?to=${encodeURIComponent(location.pathname + location.search)}`;

export function SignIn() {
  return html`<a class="button" href=${address()} onClick=${(event) => { event.currentTarget.href = address(); }}>Sign in</a>`;
}

export function SignedIn({ name }) {
  const [said, setSaid] = useState("");
  const leave = async () => {
    const answer = await fetch("/logout", { method: "POST" }).catch(() => null);
    if (!answer?.ok) {
      setSaid("You are still signed in: the console did not answer.");
      return;
    }
    localStorage.removeItem("auditwire-recent");
    localStorage.setItem(SIGNED_OUT, `${Date.now()}`);
    location.replace("/");
  };
  return html`<span class="signed-in"><bdi title="Signed in as">${name}</bdi> <button type="button" class="quiet" onClick=${leave}>Sign out</button> <span role="status">${said}</span></span>`;
}

// Somebody whom the issuer knows, and to whom nothing is granted.
export function NoRights({ about, retry }) {
  const { viewer, person } = about;
  return html`<div class="notice" role="alert">
    <h1>Nothing is granted to you</h1>
    <p>You are signed in as <strong><bdi>${viewer}</bdi></strong>, and no event is visible to you. Ask whoever runs this console to grant you something with <code>auditwire viewer add</code>${person ? ", to any of these:" : "."}</p>
    ${person && html`<dl>
      ${person.email && html`<dt>Email</dt><dd><bdi>${person.email}</bdi></dd>`}
      <dt>Subject</dt><dd><bdi>${person.subject}</bdi></dd>
      ${person.groups.length > 0 && html`<dt>Groups</dt><dd><ul>${person.groups.map((one) => html`<li><bdi>${one}</bdi></li>`)}</ul></dd>`}
    </dl>`}
    <p>Then try again; there is no need to sign in anew, unless your groups have changed.</p>
    <button type="button" onClick=${retry}>Try again</button>
  </div>`;
}

// What was shown is gone when somebody signs out in another window, and when the browser goes back to it.
if (LOGIN) {
  addEventListener("storage", (event) => event.key === SIGNED_OUT && location.reload());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
