/**
 * Tokens of the C that stands in the `print fmt` of event formats.
 * @module
 */

import { PrintFmtError } from "./error.ts";

/** One token. `at` counts characters from the start of the text. */
export type Token =
  | { readonly kind: "name" | "operator" | "end"; readonly text: string; readonly at: number }
  | { readonly kind: "string"; readonly text: string; readonly at: number }
  | { readonly kind: "number"; readonly text: string; readonly at: number };

/** The longest of Linux 6.18 has 5 KiB. */
const MAX_TEXT = 1 << 18;

const PATTERN = new RegExp(
  [
    String.raw`\s+`,
    String.raw`(?<name>[A-Za-z_]\w*)`,
    String.raw`(?<number>\d\w*)`,
    String.raw`"(?<string>(?:[^"\\]|\\[^])*)"`,
    String.raw`'(?<char>(?:[^'\\]|\\[^])+)'`,
    String.raw`(?<operator>->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>?:,.()[\]{}=;])`,
  ].join("|"),
  "y",
);

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
  "0": "\0",
};

/**
 * Splits `text` into tokens, an `end` last.
 * @throws {PrintFmtError} where something is no C.
 */
export function tokenize(text: string): Token[] {
  if (text.length > MAX_TEXT) throw new PrintFmtError(0, `more than ${MAX_TEXT} characters`);
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    PATTERN.lastIndex = at;
    const groups = PATTERN.exec(text)?.groups;
    if (groups === undefined) throw new PrintFmtError(at, `"${text[at]}" is not understood`);
    const { name, number, string, char, operator } = groups;
    if (name !== undefined) tokens.push({ kind: "name", text: name, at });
    else if (number !== undefined) tokens.push({ kind: "number", text: number, at });
    else if (string !== undefined) tokens.push({ kind: "string", text: unescape(string), at });
    else if (operator !== undefined) tokens.push({ kind: "operator", text: operator, at });
    else if (char !== undefined) {
      tokens.push({ kind: "number", text: String(unescape(char).charCodeAt(0)), at });
    }
    at = PATTERN.lastIndex;
  }
  tokens.push({ kind: "end", text: "the end", at });
  return tokens;
}

/** What the escapes in a C string stand for; the kernel keeps them as they are in the source. */
function unescape(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[^])/g, (_, escape: string) => {
    if (escape[0] === "x" && escape.length > 1) {
      return String.fromCharCode(parseInt(escape.slice(1), 16));
    }
    if (/^[0-7]+$/.test(escape)) return String.fromCharCode(parseInt(escape, 8) & 0xff);
    return ESCAPES[escape] ?? escape;
  });
}
