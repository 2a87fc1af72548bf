// Sends requests from /api/docs. Everything typed stays in the page: nothing is stored, and nobody else is asked.
"use strict";

(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const copyOf = (id) => document.getElementById(id).content.cloneNode(true);
  const token = document.getElementById("token");
  const { organization } = document.getElementById("reference").dataset;
  const SHOWN_HEADERS = ["etag", "location", "link", "idempotency-replayed", "retry-after", "www-authenticate", "ratelimit", "x-request-id"];
  const LONGEST = 100_000; // characters of a body that are shown

  window.addEventListener("pagehide", () => { token.value = ""; }); // the browser may keep the page in memory

  for (const operation of all("details.operation")) {
    const prepare = () => {
      if (!operation.open) return;
      const place = operation.querySelector("[data-try]:empty");
      if (place) place.append(formFor(operation));
      history.replaceState(null, "", `#${operation.querySelector(".operation-body").id}`);
    };
    operation.addEventListener("toggle", prepare);
    if (operation.open) prepare(); // the address named it
  }

  for (const button of navigator.clipboard ? all("[data-copy-code]") : []) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.previousElementSibling.textContent);
      button.textContent = button.dataset.copied;
    });
  }

  function formFor(operation) {
    const { method, path } = operation.dataset;
    const form = copyOf("try-form").firstElementChild;
    const fields = form.querySelector("[data-fields]");
    const prefix = operation.querySelector(".operation-body").id;
    for (const parameter of all("[data-parameter]", operation)) fields.append(fieldFor(parameter, prefix));
    const example = operation.querySelector("[data-example]");
    if (example) fields.append(bodyFor(example, prefix));
    if (method === "GET") form.querySelector("[data-if-changing]").remove();
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      if (button.ariaBusy) return;
      button.ariaBusy = "true";
      await send(form, method, path);
      button.ariaBusy = null;
    });
    return form;
  }

  function fieldFor({ dataset }, prefix) {
    const field = copyOf("try-field").firstElementChild;
    const label = field.querySelector("label");
    const control = document.createElement(dataset.choices ? "select" : "input");
    control.className = dataset.choices ? "form-select" : "form-control";
    control.name = dataset.parameter;
    control.id = `${prefix}-${dataset.parameter}`;
    control.autocomplete = "off";
    control.dataset.place = dataset.place;
    control.required = "required" in dataset;
    if (dataset.choices) control.append(new Option(""), ...dataset.choices.split("|").map((choice) => new Option(choice)));
    control.value = dataset.parameter === "organization_id" ? organization : dataset.default;
    label.htmlFor = control.id;
    label.querySelector("code").textContent = dataset.parameter;
    if (control.required) label.querySelector(".optional").remove();
    field.append(control);
    return field;
  }

  function bodyFor(example, prefix) {
    const field = document.createElement("div");
    field.className = "mb-3";
    field.append(copyOf("try-body"));
    const area = document.createElement("textarea");
    area.className = "form-control mono";
    area.id = `${prefix}-body`;
    area.dataset.place = "body";
    area.value = example.textContent;
    area.rows = area.value.split("\n").length + 1;
    area.autocomplete = "off";
    area.spellcheck = false;
    field.querySelector("label").htmlFor = area.id;
    field.append(area);
    return field;
  }

  // With a token, no cookie is sent. Without one, the browser adds the session's cookie: only to our own origin.
  function requestOf(form, method, path) {
    const headers = new Headers({ Accept: "application/json" });
    const query = new URLSearchParams();
    const options = { method, headers, credentials: "same-origin", cache: "no-store" };
    const bearer = token.value.trim();
    if (bearer) {
      headers.set("Authorization", `Bearer ${bearer}`);
      options.credentials = "omit";
    }
    let url = path;
    for (const { name, value, dataset } of all("[data-place]", form)) {
      if (dataset.place === "body") {
        headers.set("Content-Type", "application/json");
        options.body = value;
      } else if (dataset.place === "path") url = url.replace(`{${name}}`, encodeURIComponent(value));
      else if (value === "") continue;
      else if (dataset.place === "header") headers.set(name, value);
      else query.set(name, value);
    }
    return new Request(query.size ? `${url}?${query}` : url, options);
  }

  async function send(form, method, path) {
    const place = form.querySelector("[data-answer]");
    try {
      const began = performance.now();
      const answer = await fetch(requestOf(form, method, path));
      const text = await answer.text();
      show(place, answer, text, Math.round(performance.now() - began));
    } catch {
      place.textContent = place.dataset.failure;
    }
  }

  function show(place, answer, text, duration) {
    const shown = copyOf("try-answer");
    shown.querySelector("strong").textContent = `${answer.status} ${answer.statusText}`;
    shown.querySelector("span").textContent = `${duration} ms`;
    const [headers, body] = all("pre", shown);
    headers.textContent = SHOWN_HEADERS.filter((name) => answer.headers.has(name))
      .map((name) => `${name}: ${answer.headers.get(name)}`).join("\n");
    body.textContent = readable(text).slice(0, LONGEST);
    body.hidden = !text;
    place.replaceChildren(shown);
  }

  function readable(text) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  }
})();
