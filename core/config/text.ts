import { nearest } from "../text/nearest.ts";

/** Names that are compared at most, so that a mistake in a huge file is told in time. */
const MAX_CANDIDATES = 1000;

/** `Did you mean "x"?`, or undefined if no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length < 2) return undefined; // Any one letter is near any other.
  const [near] = nearest(word, [...candidates].slice(0, MAX_CANDIDATES), 1);
  return near === undefined ? undefined : `Did you mean "${near}"?`;
}

/** `a, b or c`. */
export function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
