// What components share: loading with its states, and what the browser remembers.

import { useEffect, useRef, useState } from "./vendor/htm-preact.js";

const SLOW = 400;

// The answer of `load(signal, note)`, asked anew when `key` changes: {value, problem, loading, slow, stopped, retry,
// cancel}, since when it loads, and what it notes meanwhile.
export function useLoaded(key, load) {
  const [kept, setState] = useState({ key: null });
  const [round, setRound] = useState(0);
  const running = useRef(null);
  useEffect(() => {
    const abort = new AbortController();
    running.current = abort;
    setState((before) => ({ key, value: before.value, loading: true, since: Date.now() }));
    const note = (what) => !abort.signal.aborted && setState((before) => ({ ...before, ...what }));
    const timer = setTimeout(() => setState((before) => ({ ...before, slow: true })), SLOW);
    load(abort.signal, note).then(
      (value) => !abort.signal.aborted && setState({ key, value }),
      (problem) => !abort.signal.aborted && setState({ key, problem }),
    ).finally(() => clearTimeout(timer));
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key, round]);
  const cancel = () => {
    running.current?.abort();
    setState((before) => ({ key, value: before.value, stopped: true }));
  };
  // Between a new key and the effect there is nothing of it yet.
  const state = kept.key === key ? kept : { value: kept.value, loading: true };
  return { ...state, retry: () => setRound((before) => before + 1), cancel };
}

export function useRemembered(name, initial) {
  const [value, setValue] = useState(() => {
    try {
      return JSON.parse(localStorage.getItem(`auditwire-${name}`)) ?? initial;
    } catch {
      return initial;
    }
  });
  const set = (next) => {
    localStorage.setItem(`auditwire-${name}`, JSON.stringify(next));
    setValue(next);
  };
  return [value, set];
}
