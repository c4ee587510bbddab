import { nearest } from "../text/nearest.ts";

/** `Did you mean "x"?`, or undefined if no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  // Any one letter is near any other.
  const near = word.length > 1 ? nearest(word, candidates, 1)[0] : undefined;
  return near === undefined ? undefined : `Did you mean "${near}"?`;
}

/** `a, b or c`. */
export function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
