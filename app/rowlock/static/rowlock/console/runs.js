// The list of runs: completing queries, and ticking rows.
"use strict";

(() => {
  const field = document.getElementById("q");
  const list = document.getElementById("completions");
  const DELAY = 80;
  let timer = null;
  let asked = "";
  let chosen = -1;

  // The word at the cursor, with what is in quotes.
  const wordAt = () => {
    const end = field.selectionStart;
    const before = field.value.slice(0, end);
    let start = 0;
    let quoted = false;
    for (let index = 0; index < before.length; index += 1) {
      if (before[index] === '"' && before[index - 1] !== "\\") quoted = !quoted;
      else if (/\s/.test(before[index]) && !quoted) start = index + 1;
    }
    return { start, end, text: before.slice(start) };
  };
  const close = () => {
    list.hidden = true;
    chosen = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const mark = (index) => {
    const options = [...list.children];
    chosen = index;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    if (options[index]) {
      field.setAttribute("aria-activedescendant", options[index].id);
      options[index].scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  };
  const ask = async () => {
    const { text } = wordAt();
    asked = text;
    try {
      const answer = await fetch(`${field.dataset.completions}?q=${encodeURIComponent(text)}`, { headers: { "HX-Request": "true" } });
      if (!answer.ok || asked !== text || document.activeElement !== field) return;
      list.innerHTML = await answer.text();
    } catch {
      return close();
    }
    if (!list.childElementCount) return close();
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    mark(-1);
  };
  const take = (option) => {
    const { start, end } = wordAt();
    const rest = field.value.slice(end);
    const finished = "finished" in option.dataset;
    const text = option.dataset.text + (finished && !/^\s/.test(rest) ? " " : "");
    field.value = field.value.slice(0, start) + text + rest;
    field.setSelectionRange(start + text.length, start + text.length);
    if (finished) close();
    else ask();
  };
  field?.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, DELAY);
  });
  field?.addEventListener("click", () => list.hidden && ask());
  field?.addEventListener("keydown", (event) => {
    const count = list.childElementCount;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return void ask();
      mark(event.key === "ArrowDown" ? (chosen + 1) % count : (chosen <= 0 ? count : chosen) - 1);
    } else if (list.hidden) {
      return;
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      take(list.children[chosen]);
    } else if (event.key === "Tab" && !event.shiftKey && chosen >= 0) {
      event.preventDefault();
      take(list.children[chosen]);
    }
  });
  field?.addEventListener("blur", close);
  list?.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, dialog")) return;
    event.preventDefault();
    field.focus();
    field.select();
  });

  // Ticks outlive the rows, which are replaced when they change.
  const bulk = document.getElementById("bulk");
  const found = document.getElementById("found");
  if (!bulk || !found) return;
  const ticked = new Set();
  const boxes = () => [...found.querySelectorAll("[name=id]")];
  const show = () => {
    const all = document.getElementById("tick-all");
    const there = boxes();
    for (const box of there) box.checked = ticked.has(box.value);
    const count = there.filter((box) => box.checked).length;
    if (all) {
      all.checked = count > 0 && count === there.length;
      all.indeterminate = count > 0 && count < there.length;
      all.disabled = !there.length;
    }
    bulk.querySelector("[data-count]").textContent = count ? `${count} ticked` : "";
    for (const button of bulk.querySelectorAll("[data-do]")) {
      const verb = button.dataset.do === "retry" ? "Retry" : "Cancel";
      button.querySelector("span").textContent = count ? `${verb} ticked` : `${verb} all found`;
      button.disabled = !count && !bulk.dataset.q;
      button.title = button.disabled ? "Tick runs, or search for some first" : "";
    }
  };
  found.addEventListener("change", ({ target }) => {
    const those = target.id === "tick-all" ? boxes() : target.name === "id" ? [target] : [];
    for (const box of those) {
      if (target.checked) ticked.add(box.value);
      else ticked.delete(box.value);
    }
    show();
  });
  document.addEventListener("rowlock:swapped", show);
  document.addEventListener("rowlock:done", () => {
    ticked.clear();
    show();
  });
  show();
})();
