// The command palette, shortcuts and recent places. Without this file, the search in the header is a page.
"use strict";

(() => {
  const palette = document.getElementById("palette");
  const stored = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const store = (name, value) => { try { localStorage.setItem(name, value); } catch { /* none is kept */ } };
  const RECENT = "workroom_recent";
  const sheet = document.getElementById("shortcuts");
  const input = palette.querySelector("input");
  const list = document.getElementById("palette-options");
  const status = palette.querySelector(".palette-status");
  const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
  for (const key of document.querySelectorAll("[data-command-key]")) {
    key.hidden = false;
    if (isMac) key.textContent = "⌘ K";
  }

  // Recent places: names and paths of pages of this person, kept in this browser until they sign out.
  const recent = (() => {
    const known = JSON.parse(stored(RECENT) || "null");
    return known && known.person === palette.dataset.person ? known.places : [];
  })();
  const here = document.querySelector("main[data-place]");
  const title = document.querySelector("h1");
  if (here && title && location.pathname.startsWith("/o/")) {
    const place = { href: location.pathname, label: title.textContent.trim(), inside: here.dataset.place };
    const places = [place, ...recent.filter((one) => one.href !== place.href)].slice(0, 6);
    store(RECENT, JSON.stringify({ person: palette.dataset.person, places }));
  }

  let options = [];
  let active = -1;
  let asked = 0;
  let timer = 0;
  let entered = false; // Enter was pressed before the list arrived

  const mark = (index) => {
    if (options[active]) { options[active].classList.remove("is-active"); options[active].ariaSelected = "false"; }
    active = options.length ? (index + options.length) % options.length : -1;
    if (active < 0) { input.removeAttribute("aria-activedescendant"); return; }
    options[active].classList.add("is-active");
    options[active].ariaSelected = "true";
    options[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[active].id);
  };

  const recentGroup = () => {
    const places = recent.filter((one) => one.href !== location.pathname);
    if (!places.length) return [];
    const group = document.createElement("div");
    group.className = "found";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", palette.dataset.textRecent);
    const heading = document.createElement("div");
    heading.className = "menu-heading muted small";
    heading.setAttribute("role", "presentation");
    heading.textContent = palette.dataset.textRecent;
    group.append(heading);
    for (const place of places) {
      const link = document.createElement("a");
      link.className = "menu-item";
      link.href = place.href;
      link.tabIndex = -1;
      link.setAttribute("role", "option");
      const name = document.createElement("span");
      name.className = "grow";
      name.textContent = place.label;
      const inside = document.createElement("span");
      inside.className = "muted small";
      inside.textContent = place.inside;
      link.append(name, inside);
      group.append(link);
    }
    return [group];
  };

  const load = async (turn) => {
    const query = new URLSearchParams({ q: input.value, part: "options" });
    const headers = { Accept: "application/problem+json, text/html;q=0.9" };
    const ask = async (source) => {
      const answer = await fetch(`${source}?${query}`, { headers });
      if (answer.status === 401) { window.location.assign("/sign-in"); return ""; }
      return answer.ok ? answer.text() : ""; // the other list may still help
    };
    let parts = [];
    try {
      parts = await Promise.all(palette.dataset.sources.split(" ").map(ask));
    } catch {
      if (turn === asked) status.textContent = palette.dataset.textFailed;
      return;
    }
    if (turn !== asked) return;
    list.innerHTML = parts.join("");
    list.append(...list.querySelectorAll("[data-last]"));
    if (!input.value.trim()) list.prepend(...recentGroup());
    options = [...list.querySelectorAll("[role='option']")];
    options.forEach((option, place) => { option.id = `palette-option-${place}`; });
    input.setAttribute("aria-expanded", String(options.length > 0));
    status.textContent = options.length ? `${palette.dataset.textCount} ${options.length}` : palette.dataset.textNone;
    active = -1;
    mark(0);
    if (entered && options[active]) options[active].click();
    entered = false;
  };

  // The list shown is for an older query, so keys no longer select from it.
  const outdate = () => {
    options = [];
    mark(-1);
    entered = false;
    return ++asked;
  };

  const open = (dialog) => {
    if (dialog.open) return;
    for (const other of document.querySelectorAll("dialog[open]")) other.close();
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
    dialog.showModal();
    if (dialog !== palette) return;
    input.value = "";
    input.focus();
    load(outdate());
  };

  for (const control of document.querySelectorAll("[data-open]")) {
    control.hidden = false;
    control.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab or window
      event.preventDefault();
      open(document.getElementById(control.dataset.open));
    });
  }
  for (const dialog of [palette, sheet]) { // a click beside it closes it
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  }

  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(load, 120, outdate()); });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // these keys belong to the input method, such as one for Japanese
    if (event.key === "ArrowDown") mark(active + 1);
    else if (event.key === "ArrowUp") mark(active - 1);
    else if (event.key === "Enter" && options[active]) options[active].click();
    else if (event.key === "Enter") entered = true;
    else if (event.key === "Escape") palette.close(); // Chromium would only clear the field
    else return;
    event.preventDefault();
  });

  // Shortcuts. Single letters can be switched off (WCAG 2.1.4), and never count while somebody types.
  const OFF = "workroom_shortcuts_off";
  const choice = sheet.querySelector("[data-keys-switch]");
  choice.checked = !stored(OFF);
  choice.addEventListener("change", () => { store(OFF, choice.checked ? "" : "yes"); });

  const links = new Map([...sheet.querySelectorAll("[data-keys]")].map((link) => [link.dataset.keys, link]));
  let before = "";
  let since = 0;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open(palette);
      return;
    }
    const types = event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
    if (types || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !choice.checked || palette.open) return;
    if (event.key === "?") { open(sheet); event.preventDefault(); return; }
    const sequence = before && event.timeStamp - since < 1500 ? `${before} ${event.key}` : event.key;
    before = event.key;
    since = event.timeStamp;
    const link = links.get(sequence);
    if (!link) return;
    event.preventDefault();
    before = "";
    link.click();
  });
})();
