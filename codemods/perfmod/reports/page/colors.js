// Syntax colours: a line of code as pieces [class, text]. k keyword, s string, c comment, d number, f name.

const WORDS = {
  python:
    "and as assert async await break case class continue def del elif else except False finally for from global if" +
    " import in is lambda match None nonlocal not or pass raise return True try type while with yield",
  script:
    "abstract as async await break case catch class const continue declare default delete do else enum export extends" +
    " false finally for from function get if implements import in instanceof interface let new null of private" +
    " protected public readonly return satisfies set static super switch this throw true try type typeof undefined" +
    " var void while yield",
  data: "true false null",
  sql:
    "alter and as by check column constraint create default delete distinct drop exists foreign from function grant" +
    " group having if in index insert into is join key language left like limit materialized not null on or order" +
    " policy primary references replace returns right schema select set table trigger union unique update using" +
    " values view when where with",
};
const QUOTED = String.raw`"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?`;
const NUMBER = String.raw`\b(?:0[xob][\da-f_]+|\d[\d_]*(?:\.[\d_]+)?(?:e[+-]?\d+)?)\b`;
const NAME = String.raw`[\p{L}_$][\p{L}\p{N}_$]*`;

// Comments, then strings; numbers and names are the same in every language.
const SYNTAX = {
  python: ["#[^\n]*", `[rbfut]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|${QUOTED})`, WORDS.python],
  script: [String.raw`//[^\n]*|/\*[^]*?(?:\*/|$)`, `${QUOTED}|\`(?:\\\\.|[^\`\\\\])*\`?`, WORDS.script],
  html: [String.raw`\x3c!--[^]*?(?:--\x3e|$)`, QUOTED, WORDS.script],
  data: [String.raw`(?<=^|\s)#[^\n]*`, QUOTED, WORDS.data],
  sql: [String.raw`--[^\n]*|/\*[^]*?(?:\*/|$)`, `'(?:''|[^'])*'?|${QUOTED}`, WORDS.sql],
};
const LANGUAGES = {
  py: "python", pyi: "python",
  ts: "script", mts: "script", cts: "script", tsx: "script", js: "script", jsx: "script", mjs: "script", cjs: "script",
  vue: "html", svelte: "html", html: "html",
  json: "data", yaml: "data", yml: "data", toml: "data",
  sql: "sql",
};
const compiled = new Map();

function syntaxOf(path) {
  const language = LANGUAGES[path.slice(path.lastIndexOf(".") + 1)];
  if (language !== undefined && !compiled.has(language)) {
    const [comment, string, words] = SYNTAX[language];
    const flags = language === "sql" || language === "python" ? "giu" : "gu";
    const pattern = new RegExp(`(?<c>${comment})|(?<s>${string})|(?<d>${NUMBER})|(?<n>@?${NAME})`, flags);
    compiled.set(language, { pattern, words: new Set(words.split(" ")), fold: language === "sql" });
  }
  return compiled.get(language);
}

// The lines of a text, each as pieces.
function colored(text, path) {
  const syntax = syntaxOf(path);
  const pieces = [];
  let end = 0;
  for (const match of syntax === undefined ? [] : text.matchAll(syntax.pattern)) {
    const kind = kindOf(match, syntax, text);
    if (kind === "") continue;
    pieces.push(["", text.slice(end, match.index)], [kind, match[0]]);
    end = match.index + match[0].length;
  }
  pieces.push(["", text.slice(end)]);
  const lines = [[]];
  for (const [kind, piece] of pieces) {
    for (const [number, part] of piece.split("\n").entries()) {
      if (number > 0) lines.push([]);
      if (part !== "") lines.at(-1).push([kind, part]);
    }
  }
  return lines;
}

function kindOf(match, syntax, text) {
  const { c, s, d, n } = match.groups;
  if (c !== undefined) return "c";
  if (s !== undefined) return "s";
  if (d !== undefined) return "d";
  if (syntax.words.has(syntax.fold ? n.toLowerCase() : n)) return "k";
  return n.startsWith("@") || text[match.index + n.length] === "(" ? "f" : "";
}
