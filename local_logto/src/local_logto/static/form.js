// Progressive enhancement of forms: a button with a waiting time appears when that is over. A form shows that it is
// being sent, and is not sent twice.

const GIVE_UP_AFTER = 10_000;

for (const form of document.querySelectorAll("form[data-wait]")) {
  const [button, wait, seconds] = ["button", ".wait", ".seconds"].map((part) => form.querySelector(part));
  const due = Date.now() + Number(form.dataset.wait) * 1000;
  button.hidden = true;
  const timer = setInterval(() => {
    const left = Math.ceil((due - Date.now()) / 1000);
    seconds.textContent = left;
    if (left > 0) return;
    clearInterval(timer);
    wait.remove();
    button.hidden = false;
  }, 250);
}

const release = (form) => {
  delete form.dataset.sent;
  form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
  setTimeout(release, GIVE_UP_AFTER, form);
});

window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));
