// Code as elements: side-by-side hunks, and single listings with a mark. Text only ever becomes text nodes.

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// A hunk: rows of old number, old line, new number, new line.
function hunkElement(hunk) {
  const before = [];
  const after = [];
  for (const piece of hunk.pieces) {
    before.push(...piece[0]);
    after.push(...(piece.length === 1 ? piece[0] : piece[1]));
  }
  const old = colored(before.join("\n"), hunk.path);
  const now = colored(after.join("\n"), hunk.path);
  const box = element("div", "diff code", element("div", "path", hunk.path));
  let left = 0;
  let right = 0;
  for (const piece of hunk.pieces) {
    if (piece.length === 1) {
      for (const _ of piece[0]) {
        box.append(
          element("div", "row equal", ...cells(hunk.old + left, old[left++], ""), ...cells(hunk.new + right, now[right++], "")),
        );
      }
      continue;
    }
    const [gone, come] = piece;
    for (let number = 0; number < Math.max(gone.length, come.length); number++) {
      const pair = number < gone.length && number < come.length;
      const [start, oldEnd, newEnd] = pair ? differing(gone[number], come[number]) : [0, 0, 0];
      const row = element("div", "row");
      if (number < gone.length) row.append(...cells(hunk.old + left, old[left++], "old", start, oldEnd));
      else row.append(element("div", "number none"), element("div", "none"));
      if (number < come.length) row.append(...cells(hunk.new + right, now[right++], "new", start, newEnd));
      else row.append(element("div", "number none"), element("div", "none"));
      box.append(row);
    }
  }
  return box;
}

// The lines around a finding, with its part of them marked.
function listingElement(code, path) {
  const [firstLine, firstColumn, lastLine, lastColumn] = code.mark;
  const box = element("div", "diff code", element("div", "path", path));
  for (const [number, pieces] of colored(code.lines.join("\n"), path).entries()) {
    const length = pieces.reduce((sum, [, text]) => sum + text.length, 0);
    const inside = number >= firstLine && number <= lastLine;
    const start = number === firstLine ? firstColumn : 0;
    const end = number === lastLine ? lastColumn : length;
    box.append(element("div", "row single", ...cells(code.start + number, pieces, "", inside ? start : 0, inside ? end : 0)));
  }
  return box;
}

function cells(number, pieces, className, start = 0, end = 0) {
  return [element("div", `number ${className}`, String(number)), line(pieces, className, start, end)];
}

// One line; columns [start, end) are marked.
function line(pieces, className, start, end) {
  const made = element("div", className);
  let place = 0;
  for (const [kind, text] of pieces) {
    const cuts = [0, start - place, end - place, text.length].map((cut) => Math.min(Math.max(cut, 0), text.length));
    for (let number = 0; number < 3; number++) {
      const part = text.slice(cuts[number], cuts[number + 1]);
      if (part === "") continue;
      const piece = kind === "" ? part : element("span", kind, part);
      made.append(number === 1 ? element("mark", "", piece) : piece);
    }
    place += text.length;
  }
  return made;
}

// Where two lines differ: the start, and the end in each.
function differing(old, now) {
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let tail = 0;
  while (tail < old.length - start && tail < now.length - start && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  return [start, old.length - tail, now.length - tail];
}
