// Type-checks a checkout with texts that are not on the disk. Run by typecheck.py with node and the checkout's own
// TypeScript. In: {typescript, root, files, states: [{path: text}]}. Out: {projects: [...], without: [files]}, where a
// project is {config, files, errors: one list for each state}. Nothing is written.
'use strict';
const fs = require('fs');
const path = require('path');

const { typescript, root, files, states } = JSON.parse(fs.readFileSync(0, 'utf8'));
const ts = require(typescript);
if (typeof ts.createProgram !== 'function') {
  throw new Error(`TypeScript ${ts.version} has no compiler that can be asked for texts in memory`);
}

const normal = (file) => path.resolve(file).split(path.sep).join('/');
const parsed = new Map();

function configuration(file) {
  if (!parsed.has(file)) {
    const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined };
    parsed.set(file, ts.getParsedCommandLineOfConfigFile(file, { noEmit: true, incremental: false }, host));
  }
  return parsed.get(file);
}

// The nearest tsconfig*.json whose files include this one.
function configurationOf(file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const names = fs.readdirSync(folder).filter((name) => /^tsconfig(\..+)?\.json$/.test(name));
    for (const name of names.sort((a, b) => a.length - b.length)) {
      const config = configuration(path.join(folder, name));
      if (config && config.fileNames.some((other) => normal(other) === normal(file))) return path.join(folder, name);
    }
    if (normal(folder) === normal(root) || path.dirname(folder) === folder) return undefined;
  }
}

function errorsOf(config, texts, old) {
  const options = { ...config.options, noEmit: true, incremental: false, composite: false, tsBuildInfoFile: undefined };
  const host = ts.createCompilerHost(options);
  const plain = host.getSourceFile.bind(host);
  host.getSourceFile = (name, language, ...rest) => {
    const text = texts.get(normal(name));
    if (text !== undefined) return ts.createSourceFile(name, text, language);
    const known = old && old.program.getSourceFile(name);
    return known && !old.texts.has(normal(name)) ? known : plain(name, language, ...rest);
  };
  const program = ts.createProgram(config.fileNames, options, host);
  const errors = ts.getPreEmitDiagnostics(program).filter((found) => found.category === ts.DiagnosticCategory.Error);
  return {
    program,
    texts,
    errors: errors.map((found) => ({
      file: found.file ? path.relative(root, found.file.fileName).split(path.sep).join('/') : '',
      line: found.file ? found.file.getLineAndCharacterOfPosition(found.start).line + 1 : 0,
      code: found.code,
      message: ts.flattenDiagnosticMessageText(found.messageText, ' ').slice(0, 300),
    })),
  };
}

const groups = new Map();
const without = [];
for (const file of files) {
  const config = configurationOf(path.join(root, file));
  if (config === undefined) without.push(file);
  else groups.set(config, [...(groups.get(config) || []), file]);
}
const projects = [];
for (const [config, own] of groups) {
  let old;
  const errors = states.map((state) => {
    const texts = new Map(Object.entries(state).map(([name, text]) => [normal(path.join(root, name)), text]));
    old = errorsOf(configuration(config), texts, old);
    return old.errors;
  });
  projects.push({ config: path.relative(root, config).split(path.sep).join('/'), files: own, errors });
}
process.stdout.write(JSON.stringify({ projects, without }));
