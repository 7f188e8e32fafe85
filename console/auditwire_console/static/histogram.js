// Events over time: bars to press or to drag over, and the same as a table.

import { html, useRef, useState } from "./vendor/htm-preact.js";
import { length, shown } from "./time.js";

const HEIGHT = 96;
const MAX_BARS = 400;

// `parts` are [{name, buckets}], of which each bar is stacked; `zoom(start, end)` is called with moments.
export function Histogram({ parts, interval, zone, zoom, label, range, now }) {
  const area = useRef(null);
  const [drag, setDrag] = useState(null);
  const step = length(interval);
  const starts = parts.flatMap((part) => part.buckets.map((one) => Date.parse(one.start)));
  if (!starts.length) return null;
  // The whole time that was asked for is drawn, not only what has events. Bars begin where the buckets begin.
  const anchor = Math.min(...starts);
  const first = range?.start ? anchor - Math.max(0, Math.floor((anchor - range.start) / step)) * step : anchor;
  const until = range?.start ? (range.end || now).getTime() - 1 : 0;
  const count = Math.floor((Math.max(...starts, until) - first) / step) + 1;
  if (count > MAX_BARS) return html`<p>The events are spread over too long a time to be drawn. Choose a shorter one.</p>`;
  const bars = Array.from({ length: count }, (_, index) => ({ start: first + index * step, values: parts.map(() => 0), total: 0 }));
  parts.forEach((part, position) => part.buckets.forEach((one) => {
    const bar = bars[Math.round((Date.parse(one.start) - first) / step)];
    if (bar) {
      bar.values[position] += one.count;
      bar.total += one.count;
    }
  }));
  const most = Math.max(...bars.map((bar) => bar.total), 1);
  const text = (bar) => `${shown(bar.start, zone, { seconds: step < 6e4 })}: ${bar.total.toLocaleString("en")} event${bar.total === 1 ? "" : "s"}`;
  const barAt = (event) => {
    const box = area.current.getBoundingClientRect();
    return Math.min(count - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * count)));
  };
  const finish = () => {
    if (drag) {
      const [from, to] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
      setDrag(null);
      zoom(new Date(bars[from].start), new Date(bars[to].start + step));
    }
  };
  const keys = (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (move) {
      event.preventDefault();
      const all = [...area.current.querySelectorAll("button")];
      all[all.indexOf(document.activeElement) + move]?.focus();
    }
  };
  return html`<figure class="histogram">
    <figcaption class="visually-hidden">${label}. Choose a bar to look closer, or drag over several.</figcaption>
    <div class="bars" ref=${area} onKeyDown=${keys}
      onPointerDown=${(event) => event.button === 0 && setDrag({ from: barAt(event), to: barAt(event) })}
      onPointerMove=${(event) => drag && setDrag({ ...drag, to: barAt(event) })}
      onPointerUp=${finish} onPointerLeave=${() => setDrag(null)}>
      ${bars.map((bar, index) => {
        const chosen = drag && index >= Math.min(drag.from, drag.to) && index <= Math.max(drag.from, drag.to);
        return html`<button type="button" key=${bar.start} class=${chosen ? "bar chosen" : "bar"} title=${text(bar)} aria-label=${text(bar)}
          tabindex=${index === 0 ? 0 : -1} onClick=${(event) => event.detail === 0 && zoom(new Date(bar.start), new Date(bar.start + step))}>
          ${bar.values.map((value, part) => value > 0 && html`<span class=${`part part-${part}`} style=${{ height: `${Math.max(1, (value / most) * HEIGHT)}px` }}></span>`)}
        </button>`;
      })}
    </div>
    <div class="axis" aria-hidden="true"><span>${shown(first, zone, { seconds: false })}</span><span>${interval} a bar, at most ${most.toLocaleString("en")}</span><span>${shown(first + count * step, zone, { seconds: false })}</span></div>
    ${parts.length > 1 && html`<ul class="legend">${parts.map((part, position) => html`<li><span class=${`part-${position}`} aria-hidden="true"></span>${part.name}</li>`)}</ul>`}
    <details class="as-table"><summary>As a table</summary>
      <table><caption>${label}</caption><thead><tr><th scope="col">from</th>${parts.map((part) => html`<th scope="col">${part.name}</th>`)}</tr></thead>
      <tbody>${bars.filter((bar) => bar.total).map((bar) => html`<tr><th scope="row">${shown(bar.start, zone)}</th>${bar.values.map((value) => html`<td>${value}</td>`)}</tr>`)}</tbody></table>
    </details>
  </figure>`;
}
