// Where rows go: which types hold the rows of a query, and which columns of them some code needs. Everything that the
// type checker can't follow refuses the query.
'use strict';
const { joins } = require('./joins.js');

const DEPTH = 4;
const PROPERTIES = 80;
// Calls that hand their arguments to somebody else, whatever their types say.
const OUTLETS = /^(?:json|jsonp|send|stringify|serialize|postMessage|emit|publish)$/;
// Functions whose result a framework hands on.
const ENDPOINTS = /^(?:getServerSideProps|getStaticProps|getInitialProps|loader|clientLoader|load)$/;
// Strings that name a column without reading it from a row.
const FILTERS = /^(?:eq|neq|gte?|lte?|i?like|is|in|contains|containedBy|range\w+|overlaps|textSearch|not|filter|order|match|select|returns)$/;
const HOOKS = /^use(?:Memo|Callback|Effect|LayoutEffect|InsertionEffect|ImperativeHandle)$/;
const FIELDS = /(?:key|field|column|accessor|index)$/i;

// `sites`: [{number, dropped: Set, kept: Map, refused}]. Changes kept and refused.
function rows({ ts, place, own }, checker, sites) {
  const { TypeFlags } = ts;
  const roots = new Map(); // type of a row -> sites
  const memo = new Map();

  const refuse = (site, reason) => {
    site.refused = site.refused || reason;
  };
  const keep = (site, column, where) => {
    if (site.dropped.has(column) && !site.kept.has(column)) site.kept.set(column, where);
  };
  const nameOf = (type) => checker.typeToString(type).replace(/Omit<([^,]+), [^>]*>/g, '$1').slice(0, 80);
  const at = (node) => place(node.getSourceFile(), node.getStart());

  function addRoot(type, site) {
    const known = roots.get(type);
    if (known && known.has(site)) return false;
    roots.set(type, new Set([...(known || []), site]));
    memo.clear();
    return true;
  }

  const argumentsOf = (type) =>
    type.flags & TypeFlags.Object && type.objectFlags & ts.ObjectFlags.Reference ? checker.getTypeArguments(type) : [];

  const isDeclaredHere = (type) =>
    ((type.symbol && type.symbol.declarations) || []).some((declaration) => own(declaration.getSourceFile().fileName)) ||
    (type.aliasTypeArguments || []).some(isDeclaredHere); // Partial<Row>

  function isOpen(type) {
    if (type.flags & (TypeFlags.Any | TypeFlags.Unknown | TypeFlags.NonPrimitive)) return true;
    if (!(type.flags & TypeFlags.Object)) return false;
    if (type.getStringIndexType()) return true;
    const bare = !checker.getPropertiesOfType(type).length && !type.getNumberIndexType();
    return bare && !type.getCallSignatures().length && !type.getConstructSignatures().length;
  }

  // The objects in a type, below unions and arrays.
  function leaves(type, found = new Set()) {
    if (type.isUnion()) type.types.forEach((part) => leaves(part, found));
    else if (/^(Readonly)?Array$/.test((type.symbol && type.symbol.name) || '') && argumentsOf(type).length)
      leaves(argumentsOf(type)[0], found);
    else if (type.flags & (TypeFlags.Object | TypeFlags.Intersection | TypeFlags.Any | TypeFlags.Unknown)) found.add(type);
    return found;
  }

  // The sites whose rows a type holds, at any depth.
  function sitesIn(type) {
    if (!memo.has(type)) {
      const found = new Set();
      memo.set(type, found);
      collect(type, found, 0, new Set());
    }
    return memo.get(type);
  }

  function collect(type, found, depth, seen) {
    if (!type || seen.has(type) || depth > DEPTH) return;
    seen.add(type);
    for (const site of roots.get(type) || []) found.add(site);
    if (type.isUnionOrIntersection()) type.types.forEach((part) => collect(part, found, depth, seen));
    (type.aliasTypeArguments || []).forEach((part) => collect(part, found, depth + 1, seen));
    argumentsOf(type).forEach((part) => collect(part, found, depth + 1, seen));
    if (!(type.flags & TypeFlags.Object) || !isDeclaredHere(type)) return;
    for (const property of checker.getPropertiesOfType(type).slice(0, PROPERTIES)) {
      collect(checker.getTypeOfSymbol(property), found, depth + 1, seen);
    }
  }

  // A value of one type becomes one of another: what that other names is needed, and what is open may need everything.
  function flow(from, to, node, how, depth = 0) {
    if (!from || !to || from === to || depth > DEPTH) return;
    const known = sitesIn(to);
    const left = [...sitesIn(from)].filter((site) => !known.has(site));
    if (!left.length || to.flags & (TypeFlags.VoidLike | TypeFlags.Null | TypeFlags.Never | TypeFlags.TypeParameter)) return;
    if (isOpen(to)) left.forEach((site) => refuse(site, `${how(nameOf(to))} at ${at(node)}`));
    else if (from.isUnion()) from.types.forEach((part) => flow(part, to, node, how, depth));
    else if (to.isUnion()) to.types.forEach((part) => flow(from, part, node, how, depth));
    else if (roots.has(from)) left.forEach((site) => becomes(site, to, node, how));
    else {
      const [own, others] = [argumentsOf(from), argumentsOf(to)];
      if (own.length && others.length) own.forEach((part, n) => flow(part, others[n], node, how, depth + 1));
      else if (own.length && to.getNumberIndexType()) flow(own[0], to.getNumberIndexType(), node, how, depth + 1);
      else
        for (const property of checker.getPropertiesOfType(to).slice(0, PROPERTIES)) {
          const given = checker.getPropertyOfType(from, property.name);
          if (given)
            flow(checker.getTypeOfSymbol(given), checker.getTypeOfSymbol(property), node, how, depth + 1);
        }
    }
  }

  function becomes(site, to, node, how) {
    if (!(to.flags & (TypeFlags.Object | TypeFlags.Intersection)) || to.getCallSignatures().length) return;
    if (argumentsOf(to).length && /Array$|Iterable|Promise/.test((to.symbol && to.symbol.name) || '')) return;
    for (const property of checker.getPropertiesOfType(to)) keep(site, property.name, `passed on as ${nameOf(to)} at ${at(node)}`);
    if (isDeclaredHere(to)) addRoot(to, site);
    else refuse(site, `${how(nameOf(to))} at ${at(node)}`);
  }

  const assigned = (type) => `a row becomes ${type}`;
  const { check } = joins(ts, checker, { sitesIn, argumentsOf, refuse: (site, type, node) => refuse(site, `${assigned(nameOf(type))} at ${at(node)}`) });

  // What is called with a row must not take it as something wider.
  function flowCalls(given, wanted, node, how) {
    const [own] = given.getCallSignatures();
    const [other] = wanted.getCallSignatures();
    if (!own || !other) return;
    own.parameters.forEach((parameter, n) => {
      const outer = other.parameters[n];
      if (outer) flow(checker.getTypeOfSymbol(outer), checker.getTypeOfSymbol(parameter), node, how);
    });
    const result = checker.getReturnTypeOfSignature(other);
    if (result.flags & (TypeFlags.Any | TypeFlags.Unknown)) return;
    flow(checker.getReturnTypeOfSignature(own), result, node, how);
  }

  function into(node, how, target) {
    const wanted = target || checker.getContextualType(node);
    if (!wanted) return;
    const given = checker.getTypeAtLocation(node);
    flow(given, wanted, node, how);
    for (const part of wanted.isUnion() ? wanted.types : [wanted]) flowCalls(given, part, node, how);
  }

  // What a pattern takes apart.
  const takenFrom = ({ parent }) => (ts.isVariableDeclaration(parent) && parent.initializer) || parent;

  const isRow = (type) => [...leaves(type)].flatMap((leaf) => [...(roots.get(leaf) || [])]);

  function call(node) {
    const callee = node.expression;
    const name = ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText();
    if (/^console\./.test(callee.getText())) return;
    const how = () => `a row is given to ${callee.getText().slice(0, 60)}`;
    for (const argument of node.arguments || []) {
      if (isDependencies(argument)) continue;
      const given = ts.isSpreadElement(argument) ? argument.expression : argument;
      if (OUTLETS.test(name)) sitesIn(checker.getTypeAtLocation(given)).forEach((s) => refuse(s, `${how()} at ${at(node)}`));
      if (!ts.isSpreadElement(argument)) into(argument, how);
      else {
        const signature = checker.getResolvedSignature(node);
        const last = signature && signature.parameters[signature.parameters.length - 1];
        if (last) flow(checker.getTypeAtLocation(given), checker.getTypeOfSymbol(last), argument, how);
      }
    }
  }

  // What a React hook only compares with the last time.
  function isDependencies(node) {
    const call = node.parent;
    if (!ts.isArrayLiteralExpression(node) || !ts.isCallExpression(call) || call.arguments.indexOf(node) < 1) return false;
    const callee = call.expression;
    return HOOKS.test(ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText());
  }

  function named(node) {
    const parent = node.parent;
    if (ts.isLiteralTypeNode(parent) || ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent)) return;
    if (parent.name === node || ts.isCaseClause(parent)) return;
    if (ts.isBinaryExpression(parent) && parent.operatorToken.kind !== ts.SyntaxKind.EqualsToken) return inOperator(node, parent);
    if (ts.isJsxAttribute(parent) && !FIELDS.test(parent.name.getText())) return;
    if (ts.isElementAccessExpression(parent) && !(checker.getTypeAtLocation(parent.expression).flags & TypeFlags.Any)) return;
    if (ts.isCallExpression(parent) && ts.isPropertyAccessExpression(parent.expression)) {
      if (FILTERS.test(parent.expression.name.text)) return;
    }
    for (const word of node.text.split('.')) sites.forEach((site) => keep(site, word, `named at ${at(node)}`));
  }

  function inOperator(node, parent) {
    if (parent.operatorToken.kind !== ts.SyntaxKind.InKeyword || parent.left !== node) return;
    isRow(checker.getTypeAtLocation(parent.right)).forEach((site) => keep(site, node.text, `read at ${at(node)}`));
  }

  function visit(node) {
    const { SyntaxKind } = ts;
    if (!isDependencies(node)) check(node);
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) call(node);
    else if (ts.isSpreadAssignment(node) || ts.isJsxSpreadAttribute(node)) {
      isRow(checker.getTypeAtLocation(node.expression)).forEach((s) => refuse(s, `a row is spread at ${at(node)}`));
    } else if (ts.isBindingElement(node) && node.dotDotDotToken && ts.isObjectBindingPattern(node.parent)) {
      const holder = checker.getTypeAtLocation(takenFrom(node.parent));
      isRow(holder).forEach((s) => refuse(s, `the rest of a row is taken at ${at(node)}`));
    } else if (ts.isElementAccessExpression(node) && !ts.isStringLiteralLike(node.argumentExpression)) {
      const type = checker.getTypeAtLocation(node.expression);
      for (const site of roots.get(checker.getNonNullableType(type)) || []) refuse(site, `a row is indexed at ${at(node)}`);
    } else if (ts.isForInStatement(node)) {
      isRow(checker.getTypeAtLocation(node.expression)).forEach((s) => refuse(s, `a row is walked through at ${at(node)}`));
    } else if (ts.isAsExpression(node) || ts.isTypeAssertionExpression(node) || (ts.isSatisfiesExpression && ts.isSatisfiesExpression(node))) {
      if (node.type.getText() !== 'const') {
        const target = checker.getTypeFromTypeNode(node.type);
        into(node.expression, (type) => `a row is cast to ${type}`, target);
      }
    } else if (ts.isJsxExpression(node) && node.expression && ts.isJsxAttribute(node.parent)) into(node.expression, assigned);
    else if (ts.isReturnStatement(node) && node.expression) {
      into(node.expression, assigned);
      endpoint(node, node.expression);
    } else if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
      into(node.body, assigned);
      endpoint(node.body, node.body);
    } else if (ts.isBinaryExpression(node) && node.operatorToken.kind === SyntaxKind.EqualsToken) into(node.right, assigned);
    else if (ts.isArrayLiteralExpression(node) && !isDependencies(node)) node.elements.forEach((e) => ts.isSpreadElement(e) || into(e, assigned));
    else if (ts.isShorthandPropertyAssignment(node)) shorthand(node);
    else if (ts.isPropertyAssignment(node)) into(node.initializer, assigned);
    else if ((ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node) || ts.isParameter(node)) && node.initializer) {
      if (node.type) into(node.initializer, assigned); // without one, the pattern on the left counts as a type
    } else if (ts.isStringLiteralLike(node)) named(node);
    ts.forEachChild(node, visit);
  }

  function shorthand(node) {
    const whole = checker.getContextualType(node.parent);
    const property = whole && checker.getPropertyOfType(whole, node.name.text);
    const symbol = checker.getShorthandAssignmentValueSymbol(node);
    if (property && symbol) flow(checker.getTypeOfSymbolAtLocation(symbol, node.name), checker.getTypeOfSymbol(property), node, assigned);
  }

  function endpoint(node, expression) {
    let above = node.parent;
    while (above && !ts.isFunctionLike(above)) above = above.parent;
    const name = above && (above.name || (above.parent && above.parent.name));
    if (name && ENDPOINTS.test(name.getText())) {
      sitesIn(checker.getTypeAtLocation(expression)).forEach((s) => refuse(s, `${name.getText()} hands a row on at ${at(node)}`));
    }
  }

  // A type error: at a property that a row no longer has, or somewhere that has to do with one.
  function blame(error) {
    const node = error.file && tokenAt(ts, error.file, error.start);
    if (!node) return false;
    const name = node.text;
    const holder = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node ? node.parent.expression
      : ts.isElementAccessExpression(node.parent) && node.parent.argumentExpression === node ? node.parent.expression
      : ts.isBindingElement(node.parent) ? takenFrom(node.parent.parent) : undefined;
    const guilty = holder ? isRow(checker.getTypeAtLocation(holder)).filter((site) => site.dropped.has(name)) : [];
    guilty.forEach((site) => keep(site, name, `read at ${at(node)}`));
    return guilty.length > 0;
  }

  // The sites that an error may be about, where its own place does not say.
  function near(error) {
    const found = new Set();
    for (let node = error.file && tokenAt(ts, error.file, error.start); node && !ts.isSourceFile(node); node = node.parent) {
      if (ts.isExpression(node) || ts.isVariableDeclaration(node)) sitesIn(checker.getTypeAtLocation(node)).forEach((s) => found.add(s));
      if (found.size || ts.isStatement(node)) break;
    }
    return [...found];
  }

  function size() {
    return [...roots.values()].reduce((sum, own) => sum + own.size, 0);
  }

  // Walks until no type is new.
  function walk(files) {
    for (let before = -1; before !== size(); ) {
      before = size();
      for (const file of files) visit(file);
    }
  }

  return { addRoot, blame, near, walk, leaves, isOpen, sitesIn, refuse, keep, at };
}

function tokenAt(ts, file, position) {
  let node = file;
  for (;;) {
    let inner;
    ts.forEachChild(node, (child) => {
      if (!inner && child.getStart() <= position && position < child.end) inner = child;
    });
    if (!inner) return node === file ? undefined : node;
    node = inner;
  }
}

module.exports = { rows, tokenAt };
