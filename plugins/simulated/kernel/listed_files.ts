import type { ErrnoCode } from "../../../core/kernel/errno.ts";
import type { ProbedFile } from "./dynamic/host.ts";

/** Bytes of a name in a path (`NAME_MAX`). */
const MAX_NAME = 255;

/**
 * What a path leads to among the files that a profile lists: the file, an error, or nothing if the
 * profile does not tell. Links are not followed: the profile has a file under each of its names.
 */
export function findListedFile(
  files: Readonly<Record<string, ProbedFile>>,
  path: string,
): ProbedFile | ErrnoCode | undefined {
  const parts = partsOf(path);
  if (parts.some((part) => new TextEncoder().encode(part).length > MAX_NAME)) return "ENAMETOOLONG";
  const fileAt = (length: number) => {
    const at = `/${parts.slice(0, length).join("/")}`;
    return Object.hasOwn(files, at) ? files[at] : undefined;
  };
  for (let length = 1; length < parts.length; length++) {
    if (fileAt(length)?.regular) return "ENOTDIR";
  }
  const found = fileAt(parts.length);
  return found?.regular && path.endsWith("/") ? "ENOTDIR" : found;
}

function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts;
}
