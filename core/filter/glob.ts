const BANG = 0x21;
const STAR = 0x2a;
const DASH = 0x2d;
const QUESTION = 0x3f;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;

/**
 * Whether `text`, up to its first NUL, fits the shell pattern `glob`: `*`, `?`,
 * `[a-z]`, `[!a-z]` and `\` before a literal character. A `[` that is never
 * closed stands for itself, and a `\\` at the end for nothing (`glob_match_len()`,
 * lib/glob.c).
 */
export function matchGlob(glob: Uint8Array, text: Uint8Array): boolean {
  const end = text.indexOf(0);
  const length = end < 0 ? text.length : end;
  let g = 0;
  let t = 0;
  let retryGlob = -1;
  let retryText = 0;
  while (true) {
    if (glob[g] === STAR) {
      // Try with nothing first; each retry lets the star take one character more.
      retryGlob = ++g;
      retryText = t;
      if (g === glob.length) return true;
      continue;
    }
    const ended = g === glob.length || (glob[g] === BACKSLASH && g + 1 === glob.length);
    if (ended && t === length) return true;
    const next = ended || t === length ? -1 : matchOne(glob, g, text[t]);
    if (next >= 0) {
      g = next;
      t++;
      continue;
    }
    if (retryGlob < 0 || retryText >= length) return false;
    g = retryGlob;
    t = ++retryText;
  }
}

/** Where the pattern goes on after the part of it at `at` took `byte`, or -1. */
function matchOne(glob: Uint8Array, at: number, byte: number): number {
  if (glob[at] === QUESTION) return at + 1;
  if (glob[at] === BACKSLASH) return glob[at + 1] === byte ? at + 2 : -1;
  if (glob[at] === BRACKET) {
    const set = matchSet(glob, at + 1, byte);
    if (set !== undefined) return set.matched ? set.next : -1;
  }
  return glob[at] === byte ? at + 1 : -1;
}

/** Whether the set after a `[` holds `byte`, and where it ends; `undefined` if it is never closed. */
function matchSet(glob: Uint8Array, start: number, byte: number) {
  const inverted = glob[start] === BANG;
  let matched = false;
  let at = inverted ? start + 1 : start;
  do {
    const first = glob[at++];
    let last = first;
    if (glob[at] === DASH && glob[at + 1] !== CLOSE) {
      last = glob[at + 1];
      at += 2;
    }
    if (last === undefined) return undefined;
    if (first <= byte && byte <= last) matched = true;
  } while (glob[at] !== CLOSE);
  return { matched: matched !== inverted, next: at + 1 };
}
