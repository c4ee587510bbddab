/**
 * Sorts in place with heapsort, as the kernel's `sort()` does (lib/sort.c).
 *
 * The sort is not stable; which of two equal elements comes first is part of
 * what a reader of the kernel's files sees. 6.12 takes two elements off the heap
 * at a time and prefers the right child of equal ones; 6.1 does neither.
 */
export function heapSort<T>(
  items: T[],
  compare: (a: T, b: T) => number,
  version: "6.1" | "6.12",
): void {
  const pairwise = version !== "6.1";
  const rightChild = (b: number) => compare(items[b], items[b + 1]);
  const larger = (left: number) =>
    (pairwise ? rightChild(left) > 0 : rightChild(left) >= 0) ? left : left + 1;
  for (let root = (items.length >> 1) - 1; root >= 0; root--) {
    siftDown(items, root, items.length, compare, larger);
  }
  if (pairwise) popPairs(items, compare, larger);
  else popSingly(items, compare, larger);
}

type Compare<T> = (a: T, b: T) => number;
type Larger = (left: number) => number;

function popSingly<T>(items: T[], compare: Compare<T>, larger: Larger): void {
  for (let size = items.length - 1; size > 0; size--) {
    swap(items, 0, size);
    siftDown(items, 0, size, compare, larger);
  }
}

function popPairs<T>(items: T[], compare: Compare<T>, larger: Larger): void {
  let size = items.length;
  while (size > 3) {
    swap(items, 0, --size);
    const second = compare(items[1], items[2]) <= 0 ? 2 : 1;
    swap(items, second, --size);
    // Both holes were filled from the end: mend the lower one first.
    for (let hole = second; hole >= 0; hole -= second) {
      siftDown(items, hole, size, compare, larger);
    }
  }
  if (size < 2) return;
  swap(items, 0, --size);
  if (size === 2 && compare(items[0], items[1]) > 0) swap(items, 0, 1);
}

/** Moves the item at `root` down to where it belongs, found from the leaves up. */
function siftDown<T>(
  items: T[],
  root: number,
  size: number,
  compare: Compare<T>,
  larger: Larger,
): void {
  let place = root;
  while (2 * place + 2 < size) place = larger(2 * place + 1);
  if (2 * place + 2 === size) place = 2 * place + 1;
  while (place !== root && compare(items[root], items[place]) >= 0) place = (place - 1) >> 1;
  const target = place;
  while (place !== root) {
    place = (place - 1) >> 1;
    swap(items, place, target);
  }
}

function swap<T>(items: T[], a: number, b: number): void {
  [items[a], items[b]] = [items[b], items[a]];
}
