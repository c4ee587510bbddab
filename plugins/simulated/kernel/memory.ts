import type { Memory } from "../../../core/kernel/port.ts";

/** First address that is handed out; everything below faults, NULL included. */
const FIRST_ADDRESS = 0x7f00_0000_0000n;

interface Region {
  readonly start: bigint;
  readonly bytes: Uint8Array;
  readonly writable: boolean;
  /** Called once, when it is unmapped. */
  readonly onFree: () => void;
}

/** The memory of a simulated process: what pointers in system call arguments point into. */
export class AddressSpace {
  readonly #regions: Region[] = [];
  #next = FIRST_ADDRESS;

  /** Gives `bytes` an address, page-aligned; they are shared, not copied. */
  map(bytes: Uint8Array, writable: boolean, onFree: () => void = () => {}): Memory {
    const region: Region = { start: this.#next, bytes, writable, onFree };
    this.#regions.push(region);
    // A page between two regions catches what runs over the end.
    this.#next += BigInt(Math.ceil(Math.max(bytes.length, 1) / 4096) + 1) * 4096n;
    return {
      address: region.start,
      bytes,
      free: () => {
        const index = this.#regions.indexOf(region);
        if (index < 0) return;
        this.#regions.splice(index, 1);
        onFree();
      },
    };
  }

  /** The bytes at `address`, not a copy; null if any of them is not mapped. */
  view(address: bigint, length: number): Uint8Array | null {
    const region = this.#find(address, length);
    if (region === undefined) return null;
    const offset = Number(address - region.start);
    return region.bytes.subarray(offset, offset + length);
  }

  /** A copy of the bytes at `address`; null if any of them is not mapped. */
  read(address: bigint, length: number): Uint8Array | null {
    return this.view(address, length)?.slice() ?? null;
  }

  /** Whether the bytes at `address` could be written. */
  write(address: bigint, bytes: Uint8Array): boolean {
    if (!this.writable(address, bytes.length)) return false;
    this.view(address, bytes.length)!.set(bytes);
    return true;
  }

  writable(address: bigint, length: number): boolean {
    return this.#find(address, length)?.writable ?? false;
  }

  /** Unmaps everything, as the end of a process does. */
  release(): void {
    for (const { onFree } of this.#regions.splice(0)) onFree();
  }

  #find(address: bigint, length: number): Region | undefined {
    return this.#regions.find(({ start, bytes }) =>
      address >= start && address + BigInt(length) <= start + BigInt(bytes.length)
    );
  }
}
