// The teacher's page of a class shows what has changed without a reload. Without this file, Refresh does.
"use strict";

(() => {
  const place = document.querySelector("[data-live]");
  const state = document.querySelector("[data-live-state]");
  const PAUSE = 5000; // milliseconds between an answer and the next request
  let shown = "";
  let timer = 0;
  let failures = 0;

  // What the teacher has opened stays open, and the focus stays where it is.
  const replace = (html) => {
    const focused = place.contains(document.activeElement) ? document.activeElement.closest("[id]").id : "";
    const open = [...place.querySelectorAll("details[open]")].map((box) => box.id);
    place.innerHTML = html;
    for (const id of open) {
      const box = document.getElementById(id);
      if (box) box.open = true;
    }
    const target = focused && document.getElementById(focused);
    if (!target) return;
    const control = target.matches("button") ? target : target.querySelector("summary, button") || target;
    control.focus({ preventScroll: true });
  };

  const stop = () => { clearTimeout(timer); timer = 0; };
  const wait = () => { if (!document.hidden) timer = setTimeout(load, PAUSE); };

  async function load() {
    try {
      const answer = await fetch(place.dataset.live, { headers: { Accept: "application/problem+json, text/html;q=0.9" } });
      if (answer.status === 401 || answer.status === 404) { // signed out, or the class is gone
        state.textContent = state.dataset.textStopped;
        return;
      }
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const html = await answer.text();
      const isSending = place.querySelector("form[data-sending]");
      if (html !== shown && !isSending) {
        replace(html);
        shown = html;
      }
      failures = 0;
      state.textContent = state.dataset.textLive;
    } catch {
      failures += 1;
      if (failures > 2) state.textContent = state.dataset.textStopped; // until an answer comes again
    }
    wait();
  }

  document.addEventListener("visibilitychange", () => {
    stop();
    if (!document.hidden) load();
  });
  state.textContent = state.dataset.textLive;
  wait();
})();
