// Optional enhancements: Workroom works without this file. No dependencies.
"use strict";

(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Times in the reader's zone. The exact UTC time stays in the title.
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const element of all("time[data-local]")) {
    element.textContent = format.format(new Date(element.dateTime));
  }

  // The reader's zone, so that the server knows which day it is for them.
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const zone = document.cookie.split("; ").find((cookie) => cookie.startsWith("workroom_zone="));
  const isChosen = /^workroom_zone="?chosen:/.test(zone || ""); // in the settings
  if (!isChosen && /^[A-Za-z0-9_+/-]+$/.test(timeZone || "") && zone !== `workroom_zone=${timeZone}`) {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `workroom_zone=${timeZone}; path=/; max-age=31536000; samesite=lax${secure}`;
  }

  // Recent places (palette.js) are forgotten once nobody is signed in. Support access has no palette.
  if (!document.querySelector("[action='/sign-out']")) {
    try { localStorage.removeItem("workroom_recent"); } catch { /* there is none */ }
  }

  // On a phone, the tabs are one row: the current one is scrolled into sight.
  const tab = document.querySelector(".site-nav [aria-current]");
  if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;

  // Toasts: put in again, because screen readers announce only what changes after the page has loaded.
  for (const toasts of all(".toasts")) {
    const notices = [...toasts.children];
    toasts.replaceChildren();
    setTimeout(() => toasts.append(...notices), 100);
    for (const notice of notices) {
      const dismiss = notice.querySelector("[data-dismiss]");
      dismiss.hidden = false;
      dismiss.addEventListener("click", () => { notice.remove(); document.getElementById("content").focus(); });
    }
  }

  // Menus: Escape closes a menu and returns the focus; a click elsewhere closes it.
  const menus = all("details.menu");
  const close = (menu, refocus) => {
    if (!menu.open) return;
    menu.open = false;
    if (refocus) menu.querySelector("summary").focus();
  };
  document.addEventListener("click", (event) => {
    for (const menu of menus) if (!menu.contains(event.target)) close(menu, false);
  });
  for (const menu of menus) {
    menu.addEventListener("keydown", (event) => { if (event.key === "Escape") close(menu, true); });
    menu.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !menu.contains(event.relatedTarget)) close(menu, false);
    });
  }

  // Confirmations of destructive actions: Cancel and Escape close them and return the focus.
  for (const box of all("details.confirm")) {
    const keep = box.querySelector("[data-close]");
    const away = () => { box.open = false; box.querySelector("summary").focus(); };
    keep.hidden = false;
    keep.addEventListener("click", away);
    box.addEventListener("keydown", (event) => { if (event.key === "Escape" && box.open) away(); });
    box.addEventListener("toggle", () => { if (box.open) keep.focus(); });
  }

  // A form is sent only once, and its button shows that it is being sent.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sending) { event.preventDefault(); return; }
    if (form.method !== "post") return;
    form.dataset.sending = "yes";
    const button = event.submitter || form.querySelector("[data-busy]");
    if (button && button.hasAttribute("data-busy")) button.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => {
    for (const form of all("form[data-sending]")) delete form.dataset.sending;
    for (const button of all("[aria-busy]")) button.removeAttribute("aria-busy");
  });

  // A filter is sent as soon as a choice is made.
  for (const control of all("[data-submit-on-change]")) {
    control.addEventListener("change", () => control.form.requestSubmit());
  }

  // A color can be picked instead of typed. Only the field with its digits is sent.
  for (const picker of all("[data-picks]")) {
    const field = document.getElementById(picker.dataset.picks);
    const follow = () => { if (/^#[0-9a-f]{6}$/i.test(field.value)) picker.value = field.value; };
    picker.hidden = false;
    follow();
    field.addEventListener("input", follow);
    picker.addEventListener("input", () => { field.value = picker.value; });
  }

  // Links to share: one click copies a link and confirms it. Without this script, its text can be selected.
  for (const button of navigator.clipboard ? all("[data-copy]") : []) {
    const field = document.getElementById(button.dataset.copy);
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(field.value);
        button.textContent = "Copied";
        button.setAttribute("aria-label", "Copied");
      } catch {
        field.select();
      }
    });
  }

  // Details of a list's entry, shown below it when it is opened. The link to their page stays if they do not load.
  for (const list of all("[data-details]")) {
    list.addEventListener("toggle", async ({ target: entry }) => {
      const link = entry.querySelector(":scope > a");
      if (!entry.open || !link || link.ariaBusy) return;
      link.ariaBusy = "true";
      try {
        const answer = await fetch(link.href, { headers: { Accept: "application/problem+json, text/html;q=0.9" } });
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const details = page.getElementById("details");
        details.removeAttribute("id");
        link.replaceWith(details);
      } catch {
        link.ariaBusy = null;
      }
    }, true); // this event does not bubble
  }

  // A stored form after access was renewed: sent without another click.
  const kept = document.querySelector("form[data-send-now]");
  if (kept) kept.requestSubmit();

  // The first invalid field gets the focus.
  const wrong = document.querySelector("[aria-invalid='true']");
  if (wrong) wrong.focus();

  // The organization switcher: a combobox over the list the server sends.
  for (const switcher of all("[data-switcher]")) setUpSwitcher(switcher);

  function setUpSwitcher(switcher) {
    const input = switcher.querySelector("input");
    const place = switcher.querySelector("[data-options]");
    let options = [];
    let active = -1;
    let asked = 0;
    let timer = 0;
    let entered = false; // Enter was pressed before the list arrived

    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", "organization-options");
    input.setAttribute("aria-expanded", "false");

    const mark = (index) => {
      if (options[active]) options[active].classList.remove("is-active");
      active = options.length ? (index + options.length) % options.length : -1;
      if (active < 0) { input.removeAttribute("aria-activedescendant"); return; }
      options[active].classList.add("is-active");
      options[active].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", options[active].id);
    };

    // The list shown is for an older query, so keys no longer select from it.
    const outdate = () => {
      if (options[active]) options[active].classList.remove("is-active");
      options = [];
      mark(-1);
      entered = false;
      place.setAttribute("aria-busy", "true");
      return ++asked;
    };

    const load = async (turn) => {
      const { feature, organization } = switcher.dataset;
      const query = new URLSearchParams({ q: input.value, feature, current: organization });
      try {
        const answer = await fetch(`/o/switch?${query}`, { headers: { Accept: "application/problem+json, text/html;q=0.9" } });
        if (answer.status === 401) { window.location.assign("/o"); return; }
        const html = await answer.text();
        if (turn !== asked) return;
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        place.innerHTML = html;
      } catch {
        if (turn !== asked) return;
        place.textContent = place.dataset.textFailed;
      }
      place.removeAttribute("aria-busy");
      options = all("[role='option']", place);
      input.setAttribute("aria-expanded", String(switcher.open && options.length > 0));
      mark(options.length ? Math.max(0, input.value ? 0 : options.findIndex((o) => o.ariaSelected === "true")) : -1);
      if (entered && options[active]) options[active].click();
      entered = false;
    };

    // On click, before the menu opens: "toggle" fires later, and a quick key would select from the previous list.
    switcher.querySelector("summary").addEventListener("click", () => { if (!switcher.open) outdate(); });
    switcher.addEventListener("toggle", () => {
      const turn = outdate();
      input.setAttribute("aria-expanded", "false");
      if (!switcher.open) return;
      input.value = "";
      input.focus();
      load(turn);
    });
    input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(load, 120, outdate()); });
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") mark(active + 1);
      else if (event.key === "ArrowUp") mark(active - 1);
      else if (event.key === "Home" && options.length) mark(0);
      else if (event.key === "End" && options.length) mark(options.length - 1);
      else if (event.key === "Enter" && options[active]) options[active].click();
      else if (event.key === "Enter" && place.hasAttribute("aria-busy")) entered = true;
      else return;
      event.preventDefault();
    });
  }
})();
