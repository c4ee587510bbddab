/**
 * Ids as `idr_alloc_cyclic` gives them: each above the last, and one that was freed again only
 * after all above it were given.
 */
export class CyclicIds {
  #first: number;
  #last: number;
  #next: number;
  #used = new Set<number>();

  /** Ids from `first` to `last`, both included. */
  constructor(first: number, last: number) {
    this.#first = first;
    this.#last = last;
    this.#next = first;
  }

  /** The next id, or null if all are given. */
  allocate(): number | null {
    if (this.#used.size > this.#last - this.#first) return null;
    let id = this.#next;
    while (this.#used.has(id)) id = this.#after(id);
    this.#used.add(id);
    this.#next = this.#after(id);
    return id;
  }

  /** Makes `id` one that may be given again. */
  free(id: number): void {
    this.#used.delete(id);
  }

  #after(id: number): number {
    return id === this.#last ? this.#first : id + 1;
  }
}
