// Caches that are reached by a key (TanStack Query, SWR): what one query puts there, another may take out.
'use strict';

const READERS = /^(?:getQueryData|getQueriesData|setQueryData|setQueriesData|mutate)$/;
const HOOKS = /^use(?:\w*Query|SWR\w*)$/;
const MUTATIONS = /\/node_modules\/(?:@tanstack|react-query)\//;
const DEPTH = 6;

function keys({ ts, place }, checker, { sitesIn, refuse }) {
  const users = []; // {parts, node, sites}: whose cache entry holds rows of which sites

  // The parts of a key: strings, and null for what is only known at run time. undefined: nobody knows.
  function partsOf(node, depth = 0) {
    if (!node || depth > DEPTH) return undefined;
    if (ts.isAsExpression(node) || ts.isParenthesizedExpression(node)) return partsOf(node.expression, depth + 1);
    if (ts.isStringLiteralLike(node)) return [node.text];
    if (ts.isArrayLiteralExpression(node)) {
      const parts = [];
      for (const element of node.elements) {
        if (ts.isSpreadElement(element)) {
          const inner = partsOf(element.expression, depth + 1);
          if (!inner) return parts.length ? [...parts, '...'] : undefined;
          parts.push(...inner);
        } else parts.push(ts.isStringLiteralLike(element) ? element.text : null);
      }
      return parts;
    }
    if (ts.isObjectLiteralExpression(node)) {
      const key = node.properties.find((property) => property.name && property.name.getText() === 'queryKey');
      return key && key.initializer ? partsOf(key.initializer, depth + 1) : undefined;
    }
    if (ts.isFunctionLike(node)) {
      if (!node.body || !ts.isBlock(node.body)) return partsOf(node.body, depth + 1);
      const [only] = node.body.statements;
      return only && ts.isReturnStatement(only) ? partsOf(only.expression, depth + 1) : undefined;
    }
    const callee = ts.isCallExpression(node) ? node.expression : node;
    const symbol = ts.isShorthandPropertyAssignment(node.parent)
      ? checker.getShorthandAssignmentValueSymbol(node.parent)
      : checker.getSymbolAtLocation(ts.isPropertyAccessExpression(callee) ? callee.name : callee);
    const target = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const declaration = target && target.valueDeclaration;
    if (!declaration) return undefined;
    return partsOf(ts.isFunctionLike(declaration) ? declaration : declaration.initializer, depth + 1);
  }

  function mayBeSame(one, other) {
    if (!one || !other) return true;
    for (let n = 0; n < Math.min(one.length, other.length); n++) {
      if (one[n] === '...' || other[n] === '...') return true;
      if (one[n] !== null && other[n] !== null && one[n] !== other[n]) return false;
    }
    return one.length === other.length || one[one.length - 1] === '...' || other[other.length - 1] === '...';
  }

  function resultOf(node) {
    const found = new Set();
    for (const signature of checker.getTypeAtLocation(node).getCallSignatures()) {
      for (const site of sitesIn(checker.getReturnTypeOfSignature(signature))) found.add(site);
    }
    return found;
  }

  function add(key, node, sites, isReader = false) {
    users.push({ parts: partsOf(key), text: key.getText().replace(/\(.*/s, ''), node, sites, isReader });
  }

  // TanStack's mutations take variables where SWR's mutate takes a key.
  function isMutation(call) {
    const signature = checker.getResolvedSignature(call);
    return Boolean(signature && signature.declaration && MUTATIONS.test(signature.declaration.getSourceFile().fileName));
  }

  function visit(node) {
    if (ts.isObjectLiteralExpression(node)) {
      const [key, fetcher] = ['queryKey', 'queryFn'].map((name) => node.properties.find((p) => p.name && p.name.getText() === name));
      if (key && fetcher) add(key.initializer || key.name, node, resultOf(fetcher.initializer || fetcher.name || fetcher));
    } else if (ts.isCallExpression(node) && node.arguments.length) {
      const name = ts.isPropertyAccessExpression(node.expression) ? node.expression.name.text : node.expression.getText();
      const [key, second] = node.arguments;
      if (READERS.test(name) && (name !== 'mutate' || (second && !isMutation(node)))) add(key, node, new Set(), true);
      else if (HOOKS.test(name) && second && !ts.isObjectLiteralExpression(key)) add(key, node, resultOf(second));
    }
    ts.forEachChild(node, visit);
  }

  function areSame(one, other) {
    if (!one.parts && !other.parts && !one.isReader && !other.isReader) return one.text === other.text;
    return mayBeSame(one.parts, other.parts);
  }

  // Refuses every query whose cache entry somebody else reads or writes.
  function check(files) {
    files.forEach(visit);
    for (const user of users) {
      for (const site of user.sites) {
        const other = users.find((each) => each !== user && !each.sites.has(site) && areSame(user, each));
        const where = (each) => place(each.node.getSourceFile(), each.node.getStart());
        if (other) refuse(site, `its cache entry (${where(user)}) may be the one at ${where(other)}`);
      }
    }
  }

  return { check };
}

module.exports = { keys };
