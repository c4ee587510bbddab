import type { UserMemory } from "../../../../../plugins/simulated/kernel/user_events/host.ts";

const PAGE = 4096n;

interface Page {
  readonly bytes: Uint8Array;
  readonly writable: boolean;
}

/** Memory of a process, page by page. */
export class TaskMemory implements UserMemory {
  #pages = new Map<bigint, Page>();

  map(address: number, length: number, writable: boolean): void {
    for (const page of pagesOf(BigInt(address), length)) {
      this.#pages.set(page, { bytes: new Uint8Array(Number(PAGE)), writable });
    }
  }

  unmap(address: number, length: number): void {
    for (const page of pagesOf(BigInt(address), length)) this.#pages.delete(page);
  }

  read(address: bigint, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      const at = address + BigInt(i);
      const page = this.#pages.get(at / PAGE);
      if (page === undefined) return null;
      bytes[i] = page.bytes[Number(at % PAGE)]!;
    }
    return bytes;
  }

  write(address: bigint, bytes: Uint8Array): boolean {
    if (!this.writable(address, bytes.length)) return false;
    bytes.forEach((byte, i) => {
      const at = address + BigInt(i);
      this.#pages.get(at / PAGE)!.bytes[Number(at % PAGE)] = byte;
    });
    return true;
  }

  writable(address: bigint, length: number): boolean {
    return pagesOf(address, length).every((page) => this.#pages.get(page)?.writable ?? false);
  }

  /** What fork gives the child. */
  clone(): TaskMemory {
    const copy = new TaskMemory();
    for (const [number, { bytes, writable }] of this.#pages) {
      copy.#pages.set(number, { bytes: bytes.slice(), writable });
    }
    return copy;
  }
}

function pagesOf(address: bigint, length: number): bigint[] {
  const pages: bigint[] = [];
  for (let page = address / PAGE; page * PAGE < address + BigInt(length); page++) pages.push(page);
  return pages;
}
