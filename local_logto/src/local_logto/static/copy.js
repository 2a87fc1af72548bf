// Shows the buttons that copy a code. Without scripts, a click on the code selects it.

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) break;
  const status = button.parentElement.querySelector("[data-done]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    status.textContent = status.dataset.done;
  });
}
