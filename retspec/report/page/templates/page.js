"use strict";
(() => {
  const all = [...document.querySelectorAll(".criterion")];
  const words = new Map();
  for (const each of all) words.set(each.dataset.kind, each.querySelector(".verdict").textContent.trim());
  const chosen = new Set();
  const tools = document.createElement("div");
  tools.className = "tools";
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "Filter criteria";
  search.setAttribute("aria-label", "Filter criteria");
  const shown = () => {
    const text = search.value.trim().toLowerCase();
    for (const each of all) {
      const fits = !text || each.textContent.toLowerCase().includes(text);
      each.hidden = !fits || (chosen.size > 0 && !chosen.has(each.dataset.kind));
    }
    for (const group of document.querySelectorAll("section.open, section.folded"))
      group.hidden = ![...group.querySelectorAll(".criterion")].some((each) => !each.hidden);
  };
  const button = (text, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", () => act(made));
    return made;
  };
  search.addEventListener("input", shown);
  tools.append(search);
  for (const [kind, word] of words)
    tools.append(button(kind === "undecided" ? "no verdict" : word, (made) => {
      if (!chosen.delete(kind)) chosen.add(kind);
      made.setAttribute("aria-pressed", String(chosen.has(kind)));
      shown();
    }));
  for (const made of tools.querySelectorAll("button")) made.setAttribute("aria-pressed", "false");
  let wide = false;
  tools.append(button("Open all", (made) => {
    wide = !wide;
    for (const each of document.querySelectorAll("details.criterion")) each.open = wide;
    made.textContent = wide ? "Close all" : "Open all";
  }));
  const first = document.querySelector("section.open, section.folded");
  if (first && all.length > 8) first.before(tools);

  const opened = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const around = target && target.closest("details");
    if (around && !around.open) {
      around.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", opened);
  opened();
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of closed) each.open = false;
  });
})();
