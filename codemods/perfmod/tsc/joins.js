// `any` swallows the types that it is joined with: what becomes of a row in it, no type checker sees.
'use strict';

const JOINING = /^(?:\?\?|\|\|)$/;
const DEPTH = 3;

function joins(ts, checker, { sitesIn, argumentsOf, refuse }) {
  // Any, or a promise or an array of it.
  function isAny(type, depth = 0) {
    return Boolean(type.flags & ts.TypeFlags.Any) || (depth < DEPTH && argumentsOf(type).some((part) => isAny(part, depth + 1)));
  }

  const typeOf = (node) => checker.getTypeAtLocation(node);

  function swallow(node, whole, types) {
    if (!isAny(whole)) return;
    const known = sitesIn(whole);
    for (const type of types) for (const site of sitesIn(type)) if (!known.has(site)) refuse(site, whole, node);
  }

  // What a call of one of several functions may give.
  function results(call) {
    const callee = typeOf(call.expression);
    const signatures = callee.isUnion() ? callee.types.flatMap((part) => [...part.getCallSignatures()]) : [];
    return signatures.map((signature) => checker.getReturnTypeOfSignature(signature));
  }

  function returned(node, whole) {
    if (ts.isFunctionLike(node)) return;
    if (ts.isReturnStatement(node) && node.expression) swallow(node, whole, [typeOf(node.expression)]);
    ts.forEachChild(node, (child) => returned(child, whole));
  }

  function check(node) {
    if (ts.isConditionalExpression(node)) swallow(node, typeOf(node), [node.whenTrue, node.whenFalse].map(typeOf));
    else if (ts.isBinaryExpression(node) && JOINING.test(node.operatorToken.getText())) {
      swallow(node, typeOf(node), [node.left, node.right].map(typeOf));
    } else if (ts.isArrayLiteralExpression(node)) {
      const given = node.elements.filter((element) => !ts.isOmittedExpression(element));
      swallow(node, typeOf(node), given.map((element) => typeOf(ts.isSpreadElement(element) ? element.expression : element)));
    } else if (ts.isElementAccessExpression(node)) swallow(node, typeOf(node), [typeOf(node.expression)]);
    else if (ts.isCallExpression(node)) swallow(node, typeOf(node), results(node));
    else if (ts.isFunctionLike(node) && node.body && ts.isBlock(node.body)) {
      const signature = checker.getSignatureFromDeclaration(node);
      const whole = signature && checker.getReturnTypeOfSignature(signature);
      if (whole && isAny(whole)) ts.forEachChild(node.body, (child) => returned(child, whole));
    }
  }

  return { check };
}

module.exports = { joins };
