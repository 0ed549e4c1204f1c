// The list, its filters, the chosen finding, and the keys.

const { findings, rules, created } = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const list = byId("list");
const search = byId("search");
const detail = byId("detail");

// What is filtered for: values by key. None of a key: no restriction, but suppressed findings show only when asked for.
const wanted = { rule: new Set(), folder: new Set(), cause: new Set(), safety: new Set(), state: new Set() };
const rows = [];
const groups = [];
let shown = [];
let chosen = -1;

function build() {
  let group;
  for (const [number, finding] of findings.entries()) {
    finding.text = `${finding.path}:${finding.line} ${finding.rule} ${finding.message} ${finding.reason ?? ""}`.toLowerCase();
    if (group?.path !== finding.path) {
      const box = element("div", "file", element("div", "path", finding.path));
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", finding.path);
      group = { path: finding.path, box, rows: [] };
      groups.push(group);
    }
    const what = element("span", "what", finding.message, element("span", "rule", finding.rule));
    const badge = element("span", `badge ${finding.safety}`, finding.state === "open" ? finding.safety : finding.state);
    const row = element("div", `finding ${finding.state}`, badge, element("span", "where", `${finding.line}:${finding.column}`), what);
    row.id = `finding-${number}`;
    row.dataset.number = number;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", "false");
    rows.push(row);
    group.rows.push(number);
    group.box.append(row);
  }
  list.append(...groups.map((each) => each.box));
}

function chips() {
  for (const [key, values] of [["safety", ["safe", "unsafe", "manual"]], ["state", ["open", "fixed", "suppressed"]]]) {
    const counts = values.map((value) => findings.filter((finding) => finding[key] === value).length);
    if (counts.filter(Boolean).length < 2) continue;
    for (const [number, value] of values.entries()) {
      if (counts[number] === 0) continue;
      const chip = element("button", "", `${value} ${counts[number].toLocaleString("en")}`);
      chip.type = "button";
      chip.dataset.key = key;
      chip.dataset.value = value;
      byId("chips").append(chip);
    }
  }
}

function fits(finding, words) {
  if (finding.state === "suppressed" && !wanted.state.has("suppressed")) return false;
  for (const [key, values] of Object.entries(wanted)) {
    if (values.size > 0 && !values.has(finding[key])) return false;
  }
  return words.every((word) => finding.text.includes(word));
}

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  shown = [];
  for (const group of groups) {
    let any = false;
    for (const number of group.rows) {
      const fit = fits(findings[number], words);
      rows[number].hidden = !fit;
      if (fit) shown.push(number);
      any ||= fit;
    }
    group.box.hidden = !any;
  }
  const filtered = words.length > 0 || Object.values(wanted).some((values) => values.size > 0);
  byId("reset").hidden = !filtered;
  byId("shown").textContent = `${shown.length.toLocaleString("en")} of ${findings.length.toLocaleString("en")} findings`;
  for (const button of document.querySelectorAll("[data-key]")) {
    button.setAttribute("aria-pressed", String(wanted[button.dataset.key].has(button.dataset.value)));
  }
  choose(shown.includes(chosen) ? chosen : (shown[0] ?? -1), false);
}

function reset() {
  search.value = "";
  for (const values of Object.values(wanted)) values.clear();
  filter();
}

function choose(number, reveal = true) {
  if (chosen !== number) {
    rows[chosen]?.setAttribute("aria-selected", "false");
    rows[number]?.setAttribute("aria-selected", "true");
    chosen = number;
    detail.replaceChildren(...(number < 0 ? [element("p", "", "No finding fits these filters.")] : described(findings[number])));
    detail.scrollTop = 0;
    list.setAttribute("aria-activedescendant", number < 0 ? "" : `finding-${number}`);
    if (reveal) remember(findings[number]?.id ?? "");
  }
  if (reveal) rows[number]?.scrollIntoView({ block: "nearest" });
}

function remember(id) {
  try {
    history.replaceState(null, "", `#${id}`);
  } catch {
    // Some viewers give a page no address.
  }
}

function described(finding) {
  const parts = [
    element("h3", "", `${finding.path}:${finding.line}:${finding.column}`),
    element("p", "", element("span", `badge ${finding.safety}`, finding.safety), " ", element("code", "", finding.rule)),
    labelled("Why", finding.message),
  ];
  if (finding.title) parts.push(labelled("Fix", finding.title));
  if (finding.reason) parts.push(labelled(finding.safety === "safe" ? "Note" : finding.safety, finding.reason));
  if (finding.state === "fixed") parts.push(labelled("State", "fixed in this run"));
  if (finding.suppressed) parts.push(labelled("State", `suppressed by a ${finding.suppressed}`));
  parts.push(...(finding.hunks ?? []).map(hunkElement));
  if (finding.code) parts.push(listingElement(finding.code, finding.path));
  for (const path of finding.creates ?? []) parts.push(creation(path));
  parts.push(about(finding.rule));
  return parts;
}

function labelled(label, text) {
  return element("p", "", element("span", "label", label), " ", ...sentence(text));
}

// What stands between backticks is code.
function sentence(text) {
  return text.split(/`([^`]+)`/).map((piece, number) => (number % 2 ? element("code", "", piece) : piece));
}

function creation(path) {
  const folded = element("details", "", element("summary", "", `Creates ${path}`));
  folded.addEventListener("toggle", () => {
    if (folded.childElementCount === 1) {
      folded.append(hunkElement({ path, old: 0, new: 1, pieces: [[[], created[path]]] }));
    }
  });
  return folded;
}

function about(rule) {
  const folded = element("details", "", element("summary", "", `About ${rule}: ${rules[rule].title}`));
  for (const [name, body] of rules[rule].sections) {
    folded.append(element("h2", "", name), element("div", "section", ...sentence(body)));
  }
  return folded;
}

// The next finding that is shown, `step` away from the chosen one.
function move(step) {
  const place = shown.indexOf(chosen);
  const next = Math.min(Math.max(place + step, 0), shown.length - 1);
  if (shown.length > 0) choose(shown[next]);
}

function moveFile(step) {
  const files = groups.filter((group) => !group.box.hidden);
  const place = files.findIndex((group) => group.rows.includes(chosen));
  const group = files[Math.min(Math.max(place + step, 0), files.length - 1)];
  const first = group?.rows.find((number) => !rows[number].hidden);
  if (first !== undefined) choose(first);
}

function theme() {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark" ||
    (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "light" : "dark";
}

const ANYWHERE = {
  j: () => move(1),
  k: () => move(-1),
  n: () => moveFile(1),
  p: () => moveFile(-1),
  r: reset,
  t: theme,
  "/": () => search.focus(),
  "?": () => byId("keys").showModal(),
};
// These also scroll: they move only where the list has the focus, or nothing has.
const IN_LIST = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Home: () => move(-Infinity),
  End: () => move(Infinity),
};

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
  if (event.target === search) {
    if (event.key === "Escape") {
      search.value = "";
      filter();
    }
    if (event.key === "Escape" || event.key === "Enter") list.focus();
    return;
  }
  const inList = event.target === list || event.target === document.body;
  const action = ANYWHERE[event.key] ?? (inList ? IN_LIST[event.key] : undefined);
  if (action === undefined) return;
  event.preventDefault();
  action();
}

function click(event) {
  const button = event.target.closest("[data-key]");
  if (button !== null) {
    const values = wanted[button.dataset.key];
    if (!values.delete(button.dataset.value)) values.add(button.dataset.value);
    filter();
  }
  const row = event.target.closest(".finding");
  if (row === null) return;
  choose(Number(row.dataset.number));
  if (matchMedia("(max-width: 60rem)").matches) detail.scrollIntoView({ block: "nearest" });
}

if (findings.length > 0) {
  build();
  chips();
  document.querySelector("main").hidden = false;
  filter();
  const linked = findings.findIndex((finding) => finding.id === location.hash.slice(1));
  if (linked >= 0) choose(linked);
  document.addEventListener("click", click);
  document.addEventListener("keydown", key);
  search.addEventListener("input", filter);
  byId("reset").addEventListener("click", reset);
}
byId("theme").addEventListener("click", theme);
byId("help").addEventListener("click", () => byId("keys").showModal());
