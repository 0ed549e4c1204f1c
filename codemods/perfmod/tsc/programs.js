// Programs of the checkout's own TypeScript, with texts that are not on the disk. Nothing is written.
'use strict';
const fs = require('fs');
const path = require('path');

const DIRECTIVE = /@ts-(ignore|expect-error|nocheck)\b/g;

function compiler(typescript, root) {
  const ts = require(typescript);
  if (typeof ts.createProgram !== 'function') {
    throw new Error(`TypeScript ${ts.version} has no compiler that can be asked for texts in memory`);
  }
  const normal = (file) => path.resolve(file).split(path.sep).join('/');
  const relative = (file) => path.relative(root, file).split(path.sep).join('/');
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

  // The files by their configuration, and those that no project includes.
  function projects(files) {
    const groups = new Map();
    const without = [];
    for (const file of files) {
      const config = configurationOf(path.join(root, file));
      if (config === undefined) without.push(file);
      else groups.set(config, [...(groups.get(config) || []), file]);
    }
    return { groups, without };
  }

  // A program with these texts (path below the root -> text) instead of what is on the disk. Parsed files of an
  // `earlier` one are used again. `strict`: comments that silence errors are taken out of the checkout's files.
  function program(config, texts, earlier, strict = false) {
    const given = new Map(Object.entries(texts).map(([name, text]) => [normal(path.join(root, name)), text]));
    const parsedConfig = configuration(config);
    const options = { ...parsedConfig.options, noEmit: true, incremental: false, composite: false };
    options.tsBuildInfoFile = undefined;
    const host = ts.createCompilerHost(options);
    const plain = host.getSourceFile.bind(host);
    const own = (name) => !normal(name).includes('/node_modules/') && normal(name).startsWith(normal(root) + '/');
    host.getSourceFile = (name, language, ...rest) => {
      let text = given.get(normal(name));
      const known = text === undefined && earlier && earlier.program.getSourceFile(name);
      if (known && !earlier.given.has(normal(name))) return known;
      if (strict && own(name)) {
        const said = text === undefined ? ts.sys.readFile(name) : text;
        if (said && said.includes('@ts-')) text = said.replace(DIRECTIVE, (found) => found.replace('@', '-'));
      }
      return text === undefined ? plain(name, language, ...rest) : ts.createSourceFile(name, text, language, true);
    };
    const made = ts.createProgram(parsedConfig.fileNames, options, host);
    const errors = ts.getPreEmitDiagnostics(made).filter((found) => found.category === ts.DiagnosticCategory.Error);
    return { program: made, given, errors, own };
  }

  function place(file, position) {
    return `${relative(file.fileName)}:${file.getLineAndCharacterOfPosition(position).line + 1}`;
  }

  function describe(error) {
    return {
      file: error.file ? relative(error.file.fileName) : '',
      line: error.file ? error.file.getLineAndCharacterOfPosition(error.start).line + 1 : 0,
      code: error.code,
      message: ts.flattenDiagnosticMessageText(error.messageText, ' ').slice(0, 300),
    };
  }

  return { ts, projects, program, place, describe, relative };
}

module.exports = { compiler };
