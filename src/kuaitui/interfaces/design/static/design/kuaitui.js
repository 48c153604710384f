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

/* In WeChat, a page can ask it to let its user confirm a transfer. "ok" says that WeChat's page was
   shown, not that money moved: what came of it, the page says when it is looked at again. */
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-wechat-transfer]");
  if (!button) return;
  const refused = document.getElementById(button.getAttribute("aria-describedby"));
  if (!window.WeixinJSBridge) {
    refused.hidden = false;
    return;
  }
  const request = JSON.parse(button.dataset.wechatTransfer);
  window.WeixinJSBridge.invoke("requestMerchantTransfer", request, (answer) => {
    const came = String(answer.err_msg).split(":").pop();
    refused.hidden = came === "ok" || came === "cancel";
    if (came === "ok") window.location.reload();
  });
});

/* A printed copy, where printing is offered. */
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
