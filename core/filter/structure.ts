/**
 * The shape of a filter: parentheses, `!`, `&&` and `||` around predicates, with
 * the errors and positions of `calc_stack()` and `predicate_parse()`
 * (kernel/trace/trace_events_filter.c).
 * @module
 */

import type { FilterNode, Predicate } from "./ast.ts";
import { isSpace } from "./bytes.ts";
import { FilterError, type FilterErrorCode, type FilterFault } from "./error.ts";
import type { Scanned } from "./scan.ts";

/** Reads the byte string `filter`; `scan` reads the predicate that starts at a byte. */
export function parseStructure<P extends Predicate>(
  filter: string,
  scan: (start: number) => Scanned<P>,
): FilterNode<P> {
  checkBalance(filter);
  const outer: Group<P>[] = [];
  let group = openGroup<P>(false);
  let negated = false;
  let count = 0;
  let at = 0;
  while (true) {
    at = skipSpace(filter, at);
    if (at >= filter.length) throw unfinished(filter, count);
    const character = filter[at];
    if (character === "(") {
      outer.push(group);
      group = openGroup(negated);
      negated = false;
      at++;
      continue;
    }
    if (character === "!" && filter[at + 1] !== "=" && filter[at + 1] !== "~") {
      negated = !negated;
      at++;
      continue;
    }
    const { predicate, next } = scan(at);
    count++;
    addTerm(group, negated ? negate<P>(predicate) : predicate);
    negated = false;
    at = skipSpace(filter, next);
    while (filter[at] === ")") {
      const enclosing = outer.pop();
      if (enclosing === undefined) throw fault(filter, "TOO_MANY_CLOSE", "EPERM", at + 1);
      addTerm(enclosing, closeGroup(group));
      group = enclosing;
      at = skipSpace(filter, at + 1);
    }
    if (at >= filter.length) {
      if (outer.length > 0) throw fault(filter, "TOO_MANY_OPEN", "EPERM", at + 1);
      return closeGroup(group);
    }
    at = takeJoin(filter, at, group);
  }
}

/** The terms between a pair of parentheses: alternatives, each a list to be met together. */
interface Group<P extends Predicate> {
  readonly negated: boolean;
  readonly alternatives: FilterNode<P>[][];
}

function openGroup<P extends Predicate>(negated: boolean): Group<P> {
  return { negated, alternatives: [[]] };
}

function addTerm<P extends Predicate>(group: Group<P>, term: FilterNode<P>): void {
  group.alternatives[group.alternatives.length - 1].push(term);
}

function closeGroup<P extends Predicate>(group: Group<P>): FilterNode<P> {
  const joined = join("or", group.alternatives.map((terms) => join("and", terms)));
  return group.negated ? negate(joined) : joined;
}

function join<P extends Predicate>(
  kind: "and" | "or",
  terms: readonly FilterNode<P>[],
): FilterNode<P> {
  return terms.length === 1 ? terms[0] : { kind, terms };
}

function negate<P extends Predicate>(node: FilterNode<P>): FilterNode<P> {
  return node.kind === "not" ? node.term : { kind: "not", term: node };
}

/** Takes `&&` or `||` at byte `at`; where to read on. */
function takeJoin<P extends Predicate>(filter: string, at: number, group: Group<P>): number {
  const word = filter.slice(at, at + 2);
  if (word !== "&&" && word !== "||") {
    const hint = 'Join terms with "&&" or "||"';
    throw fault(filter, "TOO_MANY_PREDS", "EPERM", at, hint);
  }
  if (word === "||") group.alternatives.push([]);
  return at + 2;
}

function unfinished(filter: string, predicates: number): FilterError {
  return predicates > 0
    ? fault(filter, "INVALID_FILTER", "EINVAL", filter.length, "A term is missing at the end")
    : fault(filter, "NO_FILTER", "EINVAL", filter.length);
}

/** Parentheses and quotes must pair, and there must be something beside them. */
function checkBalance(filter: string): void {
  const open: number[] = [];
  let quote = -1;
  let empty = true;
  for (let at = 0; at < filter.length; at++) {
    const character = filter[at];
    if (isSpace(character)) continue;
    if (quote >= 0) {
      if (character === filter[quote]) quote = -1;
      continue;
    }
    if (character === "(") {
      open.push(at);
      continue;
    }
    if (character === ")") {
      if (open.pop() === undefined) throw fault(filter, "TOO_MANY_CLOSE", "EPERM", at);
      continue;
    }
    if (character === "'" || character === '"') quote = at;
    empty = false;
  }
  if (quote >= 0) throw fault(filter, "MISSING_QUOTE", "ESRCH", quote);
  const unclosed = open.pop();
  if (unclosed !== undefined) throw fault(filter, "TOO_MANY_OPEN", "ENOENT", unclosed);
  if (empty) {
    const detail = "The filter is empty";
    throw new FilterError({ code: "ERRNO", errno: "EINVAL", filter, position: 0, at: 0, detail });
  }
}

function skipSpace(filter: string, from: number): number {
  let at = from;
  while (isSpace(filter[at])) at++;
  return at;
}

function fault(
  filter: string,
  code: FilterErrorCode,
  errno: FilterFault["errno"],
  at: number,
  hint?: string,
): FilterError {
  return new FilterError({ code, errno, filter, position: at, at, hint });
}
