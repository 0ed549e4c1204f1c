// Which repositories are shown, and in which order.

const byId = (id) => document.getElementById(id);
const search = byId("search");
const body = byId("repositories").tBodies[0];
const rows = [...body.rows].map((row) => ({ row, text: row.cells[0].textContent.toLowerCase() }));
const heads = [...byId("repositories").tHead.rows[0].cells];
const buttons = [...document.querySelectorAll("[data-key]")].filter((each) => each.tagName === "BUTTON");
// What is filtered for: values by key.
const wanted = { name: new Set(), rule: new Set(), cause: new Set(), state: new Set() };

function fits({ row, text }, words) {
  for (const [key, values] of Object.entries(wanted)) {
    if (values.size > 0 && !row.dataset[key].split("\n").some((value) => values.has(value))) return false;
  }
  return words.every((word) => text.includes(word));
}

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const each of rows) {
    each.row.hidden = !fits(each, words);
    if (!each.row.hidden) shown += 1;
  }
  byId("reset").hidden = words.length === 0 && Object.values(wanted).every((values) => values.size === 0);
  byId("shown").textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} repositories`;
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(wanted[button.dataset.key].has(button.dataset.value)));
  }
}

function reset() {
  search.value = "";
  for (const values of Object.values(wanted)) values.clear();
  filter();
}

// Numbers from the highest, names from A; a second click turns the order round. What failed has no numbers: last.
function sort(column) {
  const head = heads[column];
  const natural = column === 0 ? "ascending" : "descending";
  const other = column === 0 ? "descending" : "ascending";
  const order = head.getAttribute("aria-sort") === natural ? other : natural;
  for (const each of heads) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const value = ({ row }) => {
    if (column === 0) return row.dataset.name;
    return row.dataset.state === "failed" ? -1 : Number(row.cells[column].textContent.replaceAll(",", ""));
  };
  const turn = order === "ascending" ? 1 : -1;
  rows.sort((one, another) => {
    const [a, b] = [value(one), value(another)];
    return a === b ? 0 : a < b ? -turn : turn;
  });
  body.append(...rows.map(({ row }) => row));
}

for (const button of buttons) {
  button.addEventListener("click", () => {
    const values = wanted[button.dataset.key];
    if (!values.delete(button.dataset.value)) values.add(button.dataset.value);
    filter();
  });
}
for (const [column, head] of heads.entries()) {
  head.addEventListener("click", () => sort(column));
  head.addEventListener("keydown", (event) => {
    if (event.key === "Enter") sort(column);
  });
}
search.addEventListener("input", filter);
byId("reset").addEventListener("click", reset);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  }
});
filter();
