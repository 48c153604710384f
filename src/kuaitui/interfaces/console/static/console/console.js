/* Keys for those who work here all day. Every page does its work without this file. */
"use strict";

(() => {
  const STORE = "kuaitui.keys";
  const toggle = document.querySelector("[data-keys]");
  /* Single keys can be switched off: speech input and stray fingers would trigger them. */
  let on = localStorage.getItem(STORE) !== "off";
  const show = () => toggle?.setAttribute("aria-pressed", String(on));
  if (toggle) {
    toggle.hidden = false;
    toggle.addEventListener("click", () => {
      on = !on;
      localStorage.setItem(STORE, on ? "on" : "off");
      show();
    });
    show();
  }

  const step = (by) => {
    const links = [...document.querySelectorAll("[data-rows] tbody th a")];
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    const first = by > 0 ? 0 : links.length - 1;
    const next = at < 0 ? first : Math.min(Math.max(at + by, 0), links.length - 1);
    links[next].focus();
    links[next].scrollIntoView({ block: "nearest" });
  };
  const press = (selector) => document.querySelector(selector)?.click();
  const acts = {
    j: () => step(1),
    k: () => step(-1),
    "/": () => document.querySelector(".filters :is(input, select):not([type=hidden])")?.focus(),
    n: () => press(".pagination [rel=next]"),
    p: () => press(".pagination [rel=prev]"),
  };

  document.addEventListener("keydown", (event) => {
    if (!on || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [popover]")) return;
    const named = /^[a-z]$/.test(event.key) && document.querySelector(`[data-key="${event.key}"]`);
    const act = named ? () => named.click() : acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
