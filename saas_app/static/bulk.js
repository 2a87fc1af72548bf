// Choosing several rows: the links select without loading the page again, and the number is shown.
"use strict";

(() => {
  const bar = document.getElementById("bulk");
  if (!bar) return;
  const boxes = [...document.querySelectorAll('input[form="bulk"][name="row"]')];
  const count = bar.querySelector("[data-count]");
  const show = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    count.textContent = chosen ? bar.dataset.textCount.replace("{count}", chosen) : "";
  };
  for (const box of boxes) box.addEventListener("change", show);
  for (const link of bar.querySelectorAll("[data-choose]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      for (const box of boxes) box.checked = link.dataset.choose === "all";
      show();
    });
  }
  window.addEventListener("pageshow", show);
  show();
})();
