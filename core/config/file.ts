import { closeSync, openSync, readSync } from "node:fs";
import type { Diagnostic } from "./diagnostic.ts";
import { MAX_CONFIG_BYTES, tooLarge } from "./limit.ts";
import { Source } from "./source.ts";

/** What {@link readConfigFile} found: the text of a file, or why there is none. */
export type ConfigFile =
  | { readonly text: string; readonly diagnostic?: undefined }
  | { readonly diagnostic: Diagnostic };

/** Reads a config file of at most 1 MiB in UTF-8. Never throws. */
export function readConfigFile(path: string): ConfigFile {
  let bytes: Uint8Array;
  try {
    bytes = readAtMost(path, MAX_CONFIG_BYTES + 1);
  } catch (error) {
    return { diagnostic: unreadable(path, error) };
  }
  if (bytes.length > MAX_CONFIG_BYTES) return { diagnostic: tooLarge(path) };
  return isUtf8(bytes, false)
    ? { text: new TextDecoder().decode(bytes) }
    : { diagnostic: notUtf8(path, bytes) };
}

/** The first `most` bytes of a file; of a pipe too, which has no size to ask for. */
function readAtMost(path: string, most: number): Uint8Array {
  const fd = openSync(path, "r");
  try {
    const bytes = new Uint8Array(most);
    let length = 0;
    while (length < most) {
      const read = readSync(fd, bytes, length, most - length, null);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

const REASONS: Readonly<Record<string, readonly [reason: string, hint?: string]>> = {
  ENOENT: ["there is no such file"],
  ENOTDIR: ["a part of its path is not a directory"],
  EISDIR: ["it is a directory", "Name a file in it"],
  EACCES: ["permission denied", "Give yourself read permission on the file and its directories"],
  EPERM: ["permission denied"],
  ELOOP: ["its symbolic links go in a circle"],
  ENAMETOOLONG: ["its name is too long"],
};

function unreadable(path: string, error: unknown): Diagnostic {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const [reason, hint] = REASONS[code] ??
    [error instanceof Error ? error.message : String(error)];
  return {
    severity: "error",
    file: path,
    line: 0,
    column: 0,
    message: `Cannot read the file: ${reason}`,
    ...(hint && { hint }),
    code: "unreadable",
  };
}

/** Whether `bytes` are UTF-8; the last character of a `part` may be cut. */
function isUtf8(bytes: Uint8Array, part: boolean): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: part });
    return true;
  } catch {
    return false;
  }
}

/** The text before the first byte that is not UTF-8. */
function validText(bytes: Uint8Array): string {
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isUtf8(bytes.subarray(0, middle), true)) low = middle;
    else high = middle - 1;
  }
  // As a stream, so that a character that is cut at the end is left out.
  return new TextDecoder().decode(bytes.subarray(0, low), { stream: true });
}

function notUtf8(path: string, bytes: Uint8Array): Diagnostic {
  const text = validText(bytes);
  const { line, column } = new Source(path, text).positionAt(text.length);
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) ||
    (bytes[0] === 0xfe && bytes[1] === 0xff);
  return {
    severity: "error",
    file: path,
    line,
    column,
    message: isUtf16 ? "The file is UTF-16" : "The file is not UTF-8",
    hint: "Save it as UTF-8",
    code: "unreadable",
  };
}
