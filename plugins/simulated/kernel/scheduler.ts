/** Something that happens at a time of the simulated clock, and says when it happens again. */
export interface Timer {
  /** When it is due, in nanoseconds of the monotonic clock. */
  due: bigint;
  /** Lets it happen; the next due time, or undefined if it is over. */
  fire(): bigint | undefined;
}

/** The simulated kernel's time: it passes only when somebody waits. */
export class Scheduler {
  #now: bigint;
  readonly #timers = new Set<Timer>();

  constructor(start: bigint) {
    this.#now = start;
  }

  /** Nanoseconds since boot. */
  get now(): bigint {
    return this.#now;
  }

  /** Whether nothing will happen any more. */
  get idle(): boolean {
    return this.#timers.size === 0;
  }

  add(timer: Timer): void {
    this.#timers.add(timer);
  }

  /** Lets `nanoseconds` pass; what falls due in them happens in the order of time. */
  advance(nanoseconds: bigint): void {
    const end = this.#now + nanoseconds;
    for (let next = this.#next(); next !== undefined && next.due <= end; next = this.#next()) {
      this.#now = next.due > this.#now ? next.due : this.#now;
      const again = next.fire();
      if (again === undefined) this.#timers.delete(next);
      else next.due = again;
    }
    if (end > this.#now) this.#now = end;
  }

  /** Lets a moment pass inside a timer, such as the time a called function takes. */
  spend(nanoseconds: bigint): void {
    this.#now += nanoseconds;
  }

  #next(): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      if (earliest === undefined || timer.due < earliest.due) earliest = timer;
    }
    return earliest;
  }
}
