/* Comfort only: every page does its work without this file. */
"use strict";

/* After a refusal, put the reader where the list of problems begins. */
document.querySelector("[data-focus]")?.focus();

/* In a row of places wider than the screen, the one where the reader is comes into sight. */
for (const here of document.querySelectorAll(":is(.tabs, .staff-side nav) [aria-current]")) {
  const row = here.closest(".tabs, nav");
  const [place, frame] = [here.getBoundingClientRect(), row.getBoundingClientRect()];
  row.scrollLeft += place.left - frame.left - (frame.width - place.width) / 2;
}

/* One submission a click. The server also keeps only the first; this spares the wait. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  form.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});

/* A printed copy, where printing is offered. */
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
