const FINAL = new Set(["SUCCESS", "FAILURE", "REVOKED"]);
const WORDS = {
  PENDING: "waiting for a worker", STARTED: "running", PROGRESS: "running", RETRY: "will be tried again",
  SUCCESS: "done", FAILURE: "failed", REVOKED: "cancelled",
};
const FASTEST = 300, SLOWEST = 3000;

const cards = document.querySelector(".cards");
const watched = new WeakMap();

for (const form of document.querySelectorAll("form[data-task]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(form);
  });
}
for (const outcome of document.querySelectorAll("[data-watch]")) {
  watch(outcome, outcome.dataset.watch);
}

async function run(form) {
  const outcome = form.parentElement.querySelector(".outcome");
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const kwargs = await argumentsOf(form);
    const { task_id } = await answer(fetch(cards.dataset.start, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ task: form.dataset.task, kwargs }),
    }));
    watch(outcome, task_id, (result) => afterwards(form.dataset.task, result));
  } catch (error) {
    watched.delete(outcome);
    outcome.hidden = false;
    outcome.replaceChildren(element("div", { className: "error", textContent: error.message }));
  } finally {
    button.disabled = false;
  }
}

async function argumentsOf(form) {
  const kwargs = {};
  for (const input of form.querySelectorAll("[data-type]")) {
    kwargs[input.name] = await valueOf(input);
  }
  return kwargs;
}

async function valueOf(input) {
  switch (input.dataset.type) {
    case "number": return Number(input.value);
    case "numbers": return input.value.split(",").map(Number);
    case "json":
      try {
        return JSON.parse(input.value);
      } catch (error) {
        throw new Error(`${input.labels[0].textContent}: ${error.message}`);
      }
    case "file": return (await upload(input.files[0])).id;
    default: return input.value;
  }
}

function upload(file) {
  const limit = Number(cards.dataset.uploadLimit);
  if (file.size > limit * 1024 * 1024) {
    throw new Error(`${file.name} is larger than ${limit} MiB.`);
  }
  const body = new FormData();
  body.append("file", file);
  return answer(fetch(cards.dataset.upload, { method: "POST", body }));
}

async function answer(request) {
  let response;
  try {
    response = await request;
  } catch {
    throw new Error("The server cannot be reached.");
  }
  const body = await response.json().catch(() => null);
  if (!response.ok || body === null) {
    throw new Error(body?.detail ?? `The server answers ${response.status}.`);
  }
  return body;
}

async function watch(outcome, taskId, onSuccess) {
  const url = document.querySelector("main").dataset.result.replace("TASK_ID", taskId);
  watched.set(outcome, taskId);
  show(outcome, url, { task_id: taskId, status: "PENDING", result: null });
  for (let pause = FASTEST; ; pause = Math.min(pause * 1.2, SLOWEST)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    await visible();
    if (watched.get(outcome) !== taskId) return;
    try {
      const state = await answer(fetch(url));
      if (watched.get(outcome) !== taskId) return;
      show(outcome, url, state);
      if (FINAL.has(state.status)) {
        if (state.status === "SUCCESS") onSuccess?.(state.result);
        return;
      }
      if (state.status === "PROGRESS") pause = FASTEST;
    } catch (error) {
      outcome.querySelector(".status").textContent = `no news: ${error.message}`;
    }
  }
}

function visible() {
  return document.hidden
    ? new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }))
    : Promise.resolve();
}

function show(outcome, url, { task_id, status, result, result_note }) {
  const word = WORDS[status] ?? status.toLowerCase();
  const progress = status === "PROGRESS" && result;
  const children = [
    element("div", { className: "state" },
      element("span", { className: "status", textContent: progress && result.message ? `${word}: ${result.message}` : word }),
      element("a", { href: url, textContent: task_id.slice(0, 8), title: `Task ${task_id}` })),
  ];
  children[0].firstChild.dataset.status = status;
  if (!FINAL.has(status)) {
    const bar = element("progress", { max: (progress && result.total) || 1 });
    bar.setAttribute("aria-label", "progress");
    if (progress && result.total) bar.value = result.done;
    children.push(bar);
    if (status === "RETRY" && result) children.push(element("div", { className: "error", textContent: result }));
  } else if (result_note) {
    children.push(element("div", { className: "result", textContent: result_note }));
  } else if (status === "SUCCESS") {
    children.push(element("div", { className: "result" }, filesIn(result), element("div", { className: "scroll", tabIndex: 0 }, table(result))));
  } else if (result) {
    children.push(element("div", { className: "error", textContent: result }));
  }
  outcome.hidden = false;
  outcome.replaceChildren(...children);
}

function afterwards(task, result) {
  if (task === "example.tasks.model.train") {
    document.getElementById("model-predict-model_id").value = result.model.id;
  }
}

const isFile = (value) => typeof value?.url === "string" && typeof value?.id === "string" && "size" in value;

function filesIn(value) {
  const list = element("ul", { className: "files" });
  const visit = (inner) => {
    if (isFile(inner)) list.append(element("li", {}, fileLink(inner)));
    else if (inner && typeof inner === "object") Object.values(inner).forEach(visit);
  };
  visit(value);
  return list.children.length ? list : "";
}

function fileLink(file) {
  const link = element("a", { href: file.url });
  if (/\.(png|jpe?g)$/i.test(file.name)) {
    link.append(element("img", { src: file.url, alt: file.name, loading: "lazy" }));
  } else {
    link.append(`${file.name} (${Math.ceil(file.size / 1024)} KiB)`);
  }
  return link;
}

function table(value) {
  if (value === null || typeof value !== "object") {
    return element("span", { textContent: typeof value === "number" ? shortNumber(value) : value ?? "" });
  }
  if (isFile(value)) return element("a", { href: value.url, textContent: value.name });
  if (Array.isArray(value) && value.every((inner) => inner === null || typeof inner !== "object")) {
    return value.length && value.every((inner) => /^https?:\/\//.test(inner))
      ? element("span", {}, ...value.flatMap((url) => [element("a", { href: url, textContent: url, rel: "noreferrer" }), element("br")]))
      : element("span", { textContent: value.map((inner) => (typeof inner === "number" ? shortNumber(inner) : inner)).join(", ") });
  }
  if (Array.isArray(value)) return recordTable(value);
  const rows = Object.entries(value).map(([key, inner]) =>
    element("tr", {}, element("th", { scope: "row", textContent: key.replaceAll("_", " ") }), element("td", {}, table(inner))));
  return element("table", {}, element("tbody", {}, ...rows));
}

function recordTable(records) {
  if (records.some(isFile)) return element("span", {}, ...records.flatMap((file) => [table(file), element("br")]));
  const keys = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return element("table", {},
    element("thead", {}, element("tr", {}, ...keys.map((key) => element("th", { scope: "col", textContent: key })))),
    element("tbody", {}, ...records.map((record) => element("tr", {}, ...keys.map((key) => element("td", {}, table(record[key])))))));
}

const shortNumber = (number) => String(Number.isInteger(number) ? number : Number(number.toPrecision(4)));

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
