// What every page of the console does in the browser: live updates, times, colours, dialogs and toasts.
"use strict";

(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Times. The words are those of words.py.
  const length = (seconds) => {
    seconds = Math.max(0, seconds);
    if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
    if (seconds < 10) return `${seconds.toFixed(1)} s`;
    if (seconds < 60) return `${Math.round(seconds)} s`;
    const whole = Math.floor(seconds);
    const [unit, size, smaller, part] = whole < 3600 ? ["m", 60, "s", 1] : whole < 86400 ? ["h", 3600, "m", 60] : ["d", 86400, "h", 3600];
    const rest = Math.floor((whole % size) / part);
    return `${Math.floor(whole / size)} ${unit}${rest ? ` ${rest} ${smaller}` : ""}`;
  };
  const ago = (seconds) => {
    if (Math.abs(seconds) < 2) return "now";
    const whole = Math.round(Math.abs(seconds));
    const [unit, size] = whole < 60 ? ["s", 1] : whole < 3600 ? ["m", 60] : whole < 86400 ? ["h", 3600] : ["d", 86400];
    const amount = `${Math.floor(whole / size)} ${unit}`;
    return seconds > 0 ? `${amount} ago` : `in ${amount}`;
  };
  const tick = () => {
    if (document.hidden) return;
    const now = Date.now();
    for (const time of $$("time[data-ago], time[data-lasting]")) {
      const seconds = (now - Date.parse(time.dateTime)) / 1000;
      const word = "ago" in time.dataset ? ago(seconds) : length(seconds);
      if (time.textContent !== word) time.textContent = word;
    }
  };
  setInterval(tick, 1000);

  // A swap that leaves alone what has not changed: children are told apart by their ids, at any depth of [data-keyed].
  const plain = (element) => {
    const copy = element.cloneNode(true);
    for (const time of [...(copy.matches("time") ? [copy] : []), ...$$("time", copy)]) time.textContent = "";
    for (const one of [copy, ...$$("*", copy)]) {
      one.classList.remove("is-new", "is-changed", "htmx-settling", "htmx-swapping", "htmx-added", "htmx-request");
      if (!one.classList.length) one.removeAttribute("class");
      one.removeAttribute("data-ticked");
    }
    return copy.outerHTML;
  };
  const keep = (old, fresh) => {
    const before = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
    const changed = [];
    const next = [...fresh.children].map((child) => {
      const known = before.get(child.id);
      if (!known) {
        if (before.size) child.classList.add("is-new");
        changed.push(child);
        return child;
      }
      if (plain(known) === plain(child)) return known;
      if (known.hasAttribute("data-keyed") && child.hasAttribute("data-keyed")) {
        changed.push(...keep(known, child));
        return known;
      }
      const focused = known.contains(document.activeElement) ? document.activeElement.id : "";
      child.classList.add("is-changed");
      changed.push(child);
      if (focused) requestAnimationFrame(() => document.getElementById(focused)?.focus({ preventScroll: true }));
      return child;
    });
    const kept = new Set(next);
    for (const child of [...old.children]) if (!kept.has(child)) child.remove();
    next.forEach((child, index) => {
      if (old.children[index] !== child) old.insertBefore(child, old.children[index] ?? null);
    });
    return changed;
  };
  htmx.defineExtension("keyed", {
    isInlineSwap: () => false,
    handleSwap: (style, target, fragment) => {
      if (style !== "keyed") return false;
      const holder = document.createElement("div");
      holder.append(...fragment.childNodes);
      const changed = keep(target, holder);
      document.dispatchEvent(new CustomEvent("rowlock:swapped", { detail: { target } }));
      return changed;
    },
  });

  // What the browser has already is not sent again.
  const tags = new Map();
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const known = detail.verb === "get" && detail.elt.id && tags.get(detail.elt.id);
    if (known && known.path === detail.path) detail.headers["If-None-Match"] = known.etag;
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    const etag = detail.xhr.getResponseHeader("ETag");
    if (etag && detail.xhr.status === 200 && detail.elt.id && "live" in detail.elt.dataset) {
      tags.set(detail.elt.id, { path: detail.requestConfig.path, etag });
    }
  });

  // Live updates: the server says that something has changed, and the parts with [data-live] are asked for again.
  // Where no server can say so, they are asked for every few seconds. A hidden page rests.
  const POLL = 5000;
  const SLOW = 30000;
  const APART = 1000;
  const button = $("#live");
  const has = () => $("[data-live]") !== null;
  let source = null;
  let polling = false;
  let paused = sessionStorage.getItem("rowlock-paused") === "yes";
  let last = Date.now();
  let waiting = null;

  const say = (word, state) => {
    if (!button) return;
    button.dataset.state = state;
    $("[data-live-word]", button).textContent = word;
    button.setAttribute("aria-pressed", String(!paused));
  };
  const refresh = () => {
    waiting = null;
    last = Date.now();
    for (const part of $$("[data-live]")) htmx.trigger(part, "refresh");
  };
  const soon = () => {
    if (waiting || paused || document.hidden) return;
    waiting = setTimeout(refresh, Math.max(0, last + APART - Date.now()));
  };
  const close = () => {
    source?.close();
    source = null;
    clearTimeout(waiting);
    waiting = null;
  };
  const open = () => {
    if (source || paused || document.hidden || !has()) return;
    const url = document.body.dataset.liveUrl;
    if (!url || polling || !window.EventSource) {
      polling = true;
      say("Polling", "polling");
      return;
    }
    say("Connecting", "waiting");
    source = new EventSource(url);
    source.onmessage = (event) => {
      const { type } = JSON.parse(event.data);
      if (type === "closed") return;
      if (type === "unavailable") return say("Waiting", "waiting");
      say("Live", "live");
      // After the snapshot as well: things may have changed between the making of the page and that.
      if (type === "delta" || type === "snapshot") soon();
    };
    source.onopen = () => say("Live", "live");
    source.onerror = () => {
      if (source?.readyState !== EventSource.CLOSED) return say("Connecting", "waiting");
      close();
      polling = true;
      say("Polling", "polling");
    };
  };
  setInterval(() => {
    if (paused || document.hidden || !has()) return;
    if (Date.now() - last >= (polling ? POLL : SLOW)) return refresh();
    // A part can ask for more: what it shows changes without a run's change.
    for (const part of $$("[data-live][data-often], [data-live]:has(> [data-often])")) htmx.trigger(part, "refresh");
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return close();
    tick();
    open();
    if (!paused) refresh();
  });
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && open());
  button?.addEventListener("click", () => {
    paused = !paused;
    sessionStorage.setItem("rowlock-paused", paused ? "yes" : "no");
    if (paused) {
      close();
      say("Paused", "paused");
    } else {
      open();
      refresh();
    }
  });
  if (button && has()) {
    button.hidden = false;
    if (paused) say("Paused", "paused");
    open();
  }
  // A page whose query has changed listens to that.
  document.addEventListener("rowlock:listen", ({ detail }) => {
    document.body.dataset.liveUrl = detail;
    close();
    open();
  });

  // Something was done here: what it changed shows at once.
  document.addEventListener("rowlock:done", refresh);

  // Colours: the system's, light or dark, remembered in a cookie so that the server sends the page in the right ones.
  const themes = ["system", "light", "dark"];
  $("#theme")?.addEventListener("click", () => {
    const theme = themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length];
    document.documentElement.dataset.theme = theme;
    $("[data-theme-word]").textContent = theme;
    document.cookie = `rowlock_theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  });

  // Dialogs: what htmx puts into #dialog is shown as one; a form with data-confirm asks first.
  const dialog = $("#dialog");
  let opener = null;
  const show = () => {
    opener = document.activeElement;
    if (!dialog.open) dialog.showModal();
  };
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target === dialog && dialog.childElementCount) show();
    tick();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close-dialog]")) dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.replaceChildren();
    opener?.focus?.();
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (dialog.open && dialog.contains(detail.elt) && detail.successful) dialog.close();
  });
  document.addEventListener("htmx:confirm", (event) => {
    const asking = event.detail.elt.closest("[data-confirm]");
    if (!asking) return;
    event.preventDefault();
    const form = document.createElement("form");
    form.className = "dialog";
    form.method = "dialog";
    const title = Object.assign(document.createElement("h2"), { id: "dialog-title", textContent: asking.dataset.confirm });
    const body = Object.assign(document.createElement("div"), { className: "dialog-body" });
    if (asking.dataset.confirmText) body.append(Object.assign(document.createElement("p"), { textContent: asking.dataset.confirmText }));
    const buttons = Object.assign(document.createElement("div"), { className: "dialog-buttons" });
    const back = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: "Back", autofocus: true });
    back.dataset.closeDialog = "";
    const go = Object.assign(document.createElement("button"), {
      className: `button ${"confirmDanger" in asking.dataset ? "danger" : "primary"}`,
      textContent: asking.dataset.confirmLabel || "Yes",
    });
    form.addEventListener("submit", () => event.detail.issueRequest(true));
    buttons.append(back, go);
    form.append(title, body, buttons);
    dialog.replaceChildren(form);
    show();
  });

  // Toasts go by themselves, unless somebody reads them.
  const SHOWN = 8000;
  const watch = (toast) => {
    if (toast.dataset.watched) return;
    toast.dataset.watched = "yes";
    let timer;
    const leave = () => (timer = setTimeout(() => toast.remove(), SHOWN));
    toast.addEventListener("pointerenter", () => clearTimeout(timer));
    toast.addEventListener("focusin", () => clearTimeout(timer));
    toast.addEventListener("pointerleave", leave);
    if (!toast.classList.contains("bad")) leave();
  };
  const toasts = $("#toasts");
  $$(".toast", toasts).forEach(watch);
  new MutationObserver(() => $$(".toast", toasts).forEach(watch)).observe(toasts, { childList: true });
  toasts.addEventListener("click", (event) => event.target.closest("[data-close]")?.closest(".toast").remove());
  document.addEventListener("htmx:sendError", () => say("Offline", "offline"));

  // A button that copies the text it names.
  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (!copy) return;
    await navigator.clipboard.writeText(copy.dataset.copy);
    copy.classList.add("is-done");
    setTimeout(() => copy.classList.remove("is-done"), 1500);
  });
})();
