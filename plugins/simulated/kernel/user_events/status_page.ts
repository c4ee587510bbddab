/** Bits of a status page, and so the indexes of version 1 (`MAX_EVENTS`). */
export const MAX_EVENTS = 32768;

/** Bytes of the page (`MAX_BYTES`). */
export const STATUS_PAGE_SIZE = 4096;

/**
 * The page of version 1 that programs map to see which events are on, and the bitmap of the
 * indexes that are taken. Index 0 is never given out: a program that failed to register has it.
 */
export class StatusPage {
  /** Bit `index & 7` of byte `index >> 3` is set while the event is on. Shared with all mappings. */
  readonly bytes: Uint8Array = new Uint8Array(STATUS_PAGE_SIZE);
  #taken = new Uint8Array(STATUS_PAGE_SIZE).fill(1, 0, 1);
  #lowestFree = 1;

  /** The lowest free index below `limit`, or null. It is free until {@link take}. */
  firstFree(limit: number): number | null {
    return this.#lowestFree < limit ? this.#lowestFree : null;
  }

  /** Takes `index` for an event. */
  take(index: number): void {
    set(this.#taken, index, true);
    while (this.#lowestFree < MAX_EVENTS && isSet(this.#taken, this.#lowestFree)) {
      this.#lowestFree++;
    }
  }

  /** Frees `index`; its bit is off then. */
  free(index: number): void {
    set(this.bytes, index, false);
    set(this.#taken, index, false);
    this.#lowestFree = Math.min(this.#lowestFree, index);
  }

  /** Shows the event at `index` as on or off. */
  show(index: number, on: boolean): void {
    set(this.bytes, index, on);
  }
}

function isSet(bytes: Uint8Array, index: number): boolean {
  return (bytes[index >> 3]! & (1 << (index & 7))) !== 0;
}

function set(bytes: Uint8Array, index: number, on: boolean): void {
  if (on) bytes[index >> 3]! |= 1 << (index & 7);
  else bytes[index >> 3]! &= ~(1 << (index & 7));
}
