// Finds the columns of each query that no code needs, and proves it with the checkout's own TypeScript. Run by
// narrowing.py. In: {typescript, root, texts: {path: text}, sites: [{path, list: {start, end, quote, after}, columns,
// rows: [[start, end]]}]}, offsets in bytes. Out: {sites: [{dropped, utility, refused}], checked: [paths], exports: {path: [names]},
// passes}.
'use strict';
const fs = require('fs');
const { compiler } = require('./programs.js');
const { rows, tokenAt } = require('./rows.js');
const { keys } = require('./keys.js');

const { typescript, root, texts, sites } = JSON.parse(fs.readFileSync(0, 'utf8'));
const tools = compiler(typescript, root);
const { ts, projects, program, describe, relative } = tools;
const PASSES = 12;
const SILENT = /@ts-(?:ignore|expect-error)\b/;
const mark = (site) => `__perfmod_${site.number}`;

sites.forEach((site, number) => {
  site.number = number;
  site.refused = null;
  site.reasons = {};
  site.dropped = new Set(site.columns);
});

// The texts of a project's files with what is dropped now. `marked`: the types of each site are told apart.
function edited(own, marked) {
  const made = {};
  for (const path of new Set(own.map((site) => site.path))) {
    const bytes = Buffer.from(texts[path]);
    const edits = [];
    for (const site of own.filter((each) => each.path === path)) {
      const kept = site.columns.filter((column) => !site.dropped.has(column));
      const { start, end, quote, after } = site.list;
      // an alias of its own tells the rows of each query apart, with and without a Database type
      const list = marked && !site.refused ? [...kept, `${mark(site)}:${kept[0]}`] : kept;
      edits.push({ start, end, text: `${quote}${list.join(', ')}${quote}${after}`, site });
      if (!site.dropped.size) continue;
      const utility = marked ? 'Omit' : utilityOf(site);
      const names = utility === 'Pick' ? kept : site.columns.filter((column) => site.dropped.has(column));
      const quoted = [...names, ...(marked ? [mark(site)] : [])].map((name) => `'${name}'`).join(' | ');
      for (const [from, to] of site.rows) {
        edits.push({ start: from, end: from, text: `${utility}<` });
        edits.push({ start: to, end: to, text: `, ${quoted}>` });
      }
    }
    let text = '';
    let done = 0;
    for (const edit of edits.sort((a, b) => a.start - b.start || a.end - b.end)) {
      text += bytes.subarray(done, edit.start).toString();
      if (edit.site) edit.site.position = text.length;
      text += edit.text;
      done = edit.end;
    }
    made[path] = text + bytes.subarray(done).toString();
  }
  return made;
}

// Pick where that is shorter, and the type has every column that is kept.
function utilityOf(site) {
  const kept = site.columns.filter((column) => !site.dropped.has(column));
  return kept.length < site.dropped.size && kept.every((column) => site.known.has(column)) ? 'Pick' : 'Omit';
}

// The types that the compiler gives the rows of a query.
function addRoots(site, file, checker, found) {
  site.known = new Set(site.columns);
  const visit = (node) => {
    if (ts.isTypeReferenceNode(node) && node.typeArguments && node.typeArguments.length === 2) {
      if (node.typeName.getText() === 'Omit' && node.typeArguments[1].getText().includes(`'${mark(site)}'`)) {
        found.addRoot(checker.getTypeFromTypeNode(node), site);
        const names = new Set(checker.getTypeFromTypeNode(node.typeArguments[0]).getProperties().map((property) => property.name));
        site.known = new Set([...site.known].filter((column) => names.has(column)));
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  let top = tokenAt(ts, file, site.position).parent;
  for (;;) {
    const parent = top.parent;
    if (ts.isParenthesizedExpression(parent) || ts.isNonNullExpression(parent)) top = parent;
    else if (ts.isPropertyAccessExpression(parent) && ts.isCallExpression(parent.parent) && !/^(?:then|catch|finally)$/.test(parent.name.text)) top = parent.parent;
    else break;
  }
  const result = checker.getAwaitedType(checker.getTypeAtLocation(top));
  const parts = result ? (result.isUnion() ? result.types : [result]) : [];
  const data = parts.map((part) => checker.getPropertyOfType(part, 'data')).filter(Boolean);
  const kinds = data.flatMap((symbol) => [...found.leaves(checker.getTypeOfSymbol(symbol))]);
  if (!kinds.length || kinds.some(found.isOpen)) found.refuse(site, `the compiler does not know the type of its rows at ${found.at(top)}`);
  else kinds.forEach((type) => found.addRoot(type, site));
}

function isSilenced(error) {
  if (!error.file) return false;
  const text = fs.readFileSync(error.file.fileName, 'utf8');
  if (/@ts-nocheck\b/.test(text)) return true;
  const lines = text.split('\n');
  let line = error.file.getLineAndCharacterOfPosition(error.start).line - 1;
  while (line >= 0 && /^\s*(?:\/\/|\{?\/?\*|$)/.test(lines[line]) && !SILENT.test(lines[line])) line--;
  return line >= 0 && SILENT.test(lines[line]);
}

const identity = (error) => JSON.stringify({ ...describe(error), message: '' });

// Drops columns until the compiler has no objection. Returns how often it was asked.
function narrow(config, own) {
  let state = program(config, {}, undefined, true);
  const before = new Set(state.errors.map(identity));
  const unclean = state.errors.find((error) => !isSilenced(error));
  const checked = () => state.program.getSourceFiles().filter((file) => !file.isDeclarationFile && state.own(file.fileName) && !/\.[cm]?jsx?$/.test(file.fileName));
  if (unclean) {
    const { file, line, code, message } = describe(unclean);
    own.forEach((site) => (site.refused = `the type checker is not clean without it: ${file}:${line} TS${code} ${message}`));
    return { passes: 1, files: checked() };
  }
  let passes = 1;
  for (let open = true; open && passes < PASSES; passes++) {
    const active = own.filter((site) => !site.refused && site.dropped.size);
    if (!active.length) break;
    active.forEach((site) => (site.kept = new Map()));
    leaveOne(active);
    state = program(config, edited(own, true), state, true);
    open = examine(state, active, before, checked());
    for (const site of own) if (site.refused) site.dropped.clear();
  }
  const active = own.filter((site) => !site.refused && site.dropped.size);
  if (active.length) {
    passes++;
    state = program(config, edited(own, false), state, true);
    const error = state.errors.find((each) => !before.has(identity(each)));
    if (error || passes > PASSES) {
      const { file, line, code, message } = error ? describe(error) : {};
      const reason = error ? `a type error: ${file}:${line} TS${code} ${message}` : `the compiler was asked ${PASSES} times in vain`;
      active.forEach((site) => (site.refused = reason));
    }
  }
  for (const path of new Set(own.map((site) => site.path))) {
    const checker = state.program.getTypeChecker();
    const module = checker.getSymbolAtLocation(state.program.getSourceFile(fileOf(state, path)));
    answer.exports[path] = module ? checker.getExportsOfModule(module).map((symbol) => symbol.name) : [];
  }
  return { passes, files: checked() };
}

// A list needs one column at least: one that nobody may need is left, and another one the next time.
function leaveOne(active) {
  for (const site of active) {
    if (site.dropped.size < site.columns.length) continue;
    site.spare = site.spare === undefined ? site.columns[0] : site.columns.find((column) => column !== site.spare);
    if (site.spare !== undefined) site.dropped.delete(site.spare);
  }
}

// Whether a query whose only column was left as a spare one has to be tried with another. Where none is read, the rows
// have no reader that the compiler can see.
function trySpare(site) {
  if (site.spare === undefined || site.refused || Object.keys(site.reasons).length) return false;
  if (site.columns.length < 2 || site.tried) {
    site.refused = 'no code reads a column of its rows';
    return false;
  }
  site.tried = true;
  site.dropped.add(site.spare);
  return true;
}

// The sites whose marks a message names: rows of one query where those of another are wanted.
function markedIn(message, active) {
  const numbers = [...message.matchAll(/__perfmod_(\d+)/g)].map((match) => Number(match[1]));
  return active.filter((site) => numbers.includes(site.number));
}

// One look at a program: which columns have to come back. Returns whether any did.
function examine(state, active, before, files) {
  const checker = state.program.getTypeChecker();
  const found = rows({ ...tools, own: state.own }, checker, active);
  for (const site of active) addRoots(site, state.program.getSourceFile(fileOf(state, site.path)), checker, found);
  found.walk(files);
  keys(tools, checker, found).check(files);
  for (const error of state.errors.filter((each) => !before.has(identity(each)))) {
    if (found.blame(error)) continue;
    const changed = active.some((site) => site.kept.size || site.refused);
    if (changed) continue; // it may be gone with what comes back
    const { file, line, code, message } = describe(error);
    const guilty = [...new Set([...markedIn(message, active), ...found.near(error)])];
    const same = active.filter((site) => site.path === file);
    for (const site of guilty.length ? guilty : same.length ? same : active) found.refuse(site, `a type error: ${file}:${line} TS${code} ${message}`);
  }
  let open = false;
  for (const site of active) {
    for (const [column, where] of site.kept) {
      site.dropped.delete(column);
      site.reasons[column] = where;
      open = true;
    }
    open = open || site.refused !== null;
  }
  const stable = !open;
  for (const site of active) {
    if (Object.keys(site.reasons).length && site.spare !== undefined && !(site.spare in site.reasons)) {
      site.dropped.add(site.spare); // it had no reader
      site.spare = undefined;
      open = true;
    } else if (stable && trySpare(site)) open = true;
  }
  return open;
}

function fileOf(state, path) {
  return state.program.getSourceFiles().find((file) => relative(file.fileName) === path).fileName;
}

const answer = { checked: [], exports: {}, passes: 0 };
const { groups, without } = projects([...new Set(sites.map((site) => site.path))]);
for (const [config, paths] of groups) {
  const { passes, files } = narrow(config, sites.filter((site) => paths.includes(site.path)));
  answer.passes += passes;
  answer.checked.push(...files.map((file) => relative(file.fileName)));
}
// Why nothing can be left out.
function reasonOf(site) {
  if (without.includes(site.path)) return 'no TypeScript project of the checkout includes the file';
  if (site.refused || site.dropped.size) return site.refused;
  const reasons = [...new Set(Object.values(site.reasons))];
  return reasons.length === 1 ? `its rows are ${reasons[0]}` : 'every column is read';
}

answer.sites = sites.map((site) => ({
  dropped: site.columns.filter((column) => site.dropped.has(column)),
  utility: site.known ? utilityOf(site) : 'Omit',
  refused: reasonOf(site),
}));
process.stdout.write(JSON.stringify(answer));
