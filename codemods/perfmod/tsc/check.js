// Type-checks a checkout with texts that are not on the disk. Run by checking.py with node and the checkout's own
// TypeScript. In: {typescript, root, files, states: [{path: text}]}. Out: {projects: [...], without: [files]}, where a
// project is {config, files, errors: one list for each state}.
'use strict';
const fs = require('fs');
const { compiler } = require('./programs.js');

const { typescript, root, files, states } = JSON.parse(fs.readFileSync(0, 'utf8'));
const { projects, program, describe, relative } = compiler(typescript, root);

const { groups, without } = projects(files);
const found = [];
for (const [config, own] of groups) {
  let state;
  const errors = states.map((texts) => {
    state = program(config, texts, state);
    return state.errors.map(describe);
  });
  found.push({ config: relative(config), files: own, errors });
}
process.stdout.write(JSON.stringify({ projects: found, without }));
