/**
 * The two pattern languages of function names: the shell-like glob of lib/glob.c
 * and the ftrace filter that picks a cheaper match where it can
 * (`filter_parse_regex`, kernel/trace/trace_events_filter.c).
 * @module
 */

/** A character class `[...]`: where it ends and whether it takes `char`; nothing if it is not closed. */
function matchClass(
  pattern: string,
  start: number,
  char: string,
): { matched: boolean; end: number } | undefined {
  const inverted = pattern[start] === "!";
  let at = start + (inverted ? 1 : 0);
  let matched = false;
  do {
    const low = pattern[at++];
    if (low === undefined) return undefined;
    let high = low;
    if (pattern[at] === "-" && pattern[at + 1] !== "]") {
      const end = pattern[at + 1];
      if (end === undefined) return undefined;
      high = end;
      at += 2;
    }
    matched ||= low <= char && char <= high;
  } while (pattern[at] !== "]");
  return { matched: matched !== inverted, end: at + 1 };
}

/** One step of a pattern against one character; `undefined` if they do not fit. */
function matchOne(pattern: string, at: number, char: string): number | undefined {
  const token = pattern[at];
  if (token === "?") return at + 1;
  if (token === "[") {
    const found = matchClass(pattern, at + 1, char);
    if (found !== undefined) return found.matched ? found.end : undefined;
  }
  if (token === "\\") return pattern[at + 1] === char ? at + 2 : undefined;
  return token === char ? at + 1 : undefined;
}

/** Whether `pattern`, with `*`, `?`, `[...]` and `\`, matches all of `text` (`glob_match`). */
export function globMatch(pattern: string, text: string): boolean {
  let at = 0;
  let back: { pattern: number; text: number } | undefined;
  for (let i = 0;;) {
    if (pattern[at] === "*") {
      back = { pattern: ++at, text: i };
      if (at === pattern.length) return true;
      continue;
    }
    const char = text[i];
    if (char === undefined) return at === pattern.length || pattern.slice(at) === "\\";
    const next = matchOne(pattern, at, char);
    if (next !== undefined) {
      at = next;
      i++;
    } else if (back === undefined) {
      return false;
    } else {
      at = back.pattern;
      i = ++back.text;
    }
  }
}

/** What an ftrace filter asks for. */
export type FtraceFilter =
  /** All functions with this name. */
  | { readonly kind: "name"; readonly name: string; readonly not: boolean }
  /** All functions whose name passes. */
  | { readonly kind: "pattern"; readonly test: (name: string) => boolean; readonly not: boolean }
  /** The function at a place of the list of all functions; the text is not checked yet. */
  | { readonly kind: "index"; readonly text: string; readonly not: boolean };

/** Reads an ftrace filter such as `vfs_read`, `tcp_*`, `!x*` or `12`. */
export function parseFtraceFilter(text: string): FtraceFilter {
  const not = text.startsWith("!");
  const search = not ? text.slice(1) : text;
  if (/^[0-9]/.test(search)) return { kind: "index", text: search, not };
  if (!/[*?[\\]/.test(search)) return { kind: "name", name: search, not };
  return { kind: "pattern", test: patternTest(search), not };
}

function patternTest(search: string): (name: string) => boolean {
  const inner = search.slice(1, -1);
  if (search === "*") return () => true;
  if (/[*?[\\]/.test(inner) || /^[?[\\]|[?[\\]$/.test(search)) {
    return (name) => globMatch(search, name);
  }
  const front = search.startsWith("*");
  const end = search.endsWith("*");
  if (front && end) return (name) => name.includes(inner);
  if (end) return (name) => name.startsWith(search.slice(0, -1));
  return (name) => name.endsWith(search.slice(1));
}
