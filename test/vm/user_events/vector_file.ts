/**
 * Files of vectors: a line `{"section": NAME}` before the vectors of a section, then one vector a
 * line, without its answer if that is 0 and nothing more.
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { Answer, Operation, Vector } from "./operations.ts";

/** The vectors of one section, in order. State carries over from one section to the next. */
export interface VectorSection {
  readonly name: string;
  readonly vectors: readonly Vector[];
}

const DONE: Answer = { ret: 0, errno: "0" };

/** Writes a file of vectors. */
export function writeVectors(path: string, sections: readonly VectorSection[]): void {
  const lines = sections.flatMap(({ name, vectors }) => [
    { section: name },
    ...vectors.map(({ answer, ...operation }) =>
      isDone(answer) ? operation : { ...operation, answer }
    ),
  ]);
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

/** Reads a file of vectors. */
export function readVectors(path: string | URL): VectorSection[] {
  const sections: { name: string; vectors: Vector[] }[] = [];
  for (const text of readFileSync(path, "utf8").trimEnd().split("\n")) {
    const line = JSON.parse(text) as { section: string } | Operation & { answer?: Answer };
    if ("section" in line) sections.push({ name: line.section, vectors: [] });
    else sections.at(-1)!.vectors.push({ ...line, answer: line.answer ?? DONE });
  }
  return sections;
}

function isDone({ ret, errno, data }: Answer): boolean {
  return ret === 0 && errno === "0" && data === undefined;
}
