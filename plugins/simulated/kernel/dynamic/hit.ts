/**
 * What a probe sees when it is hit: registers, memory and the running task.
 * 64-bit values are unsigned.
 */
export interface Hit {
  /**
   * Address of the probe. On a return: of the function. For a uprobe it is the
   * address in the process.
   */
  readonly ip: bigint;
  /** On a return: where the function returns to (uprobes: the instruction pointer). */
  readonly retIp?: bigint;
  /** Name of the running task, at most 15 bytes, one character a byte. */
  readonly comm: string;
  /**
   * A register by the name that the kernel has for it (`di`, `sp`, `x0`). On x86 a
   * kprobe sees `ip` one byte behind {@link ip}.
   */
  register(name: string): bigint;
  /**
   * A function argument from 0, as it was at the function's entry, also on a
   * return. Argument 0 of a tracepoint is the stub's `__data`.
   */
  argument(index: number): bigint;
  /** On a return: what the function returned. */
  readonly returnValue: bigint;
  /** The word at `index` of the stack, from 0; 0 where there is none. */
  stack(index: number): bigint;
  /**
   * Memory, or nothing where all of it cannot be read.
   *
   * @param user whether to read user memory
   */
  readMemory(address: bigint, length: number, user: boolean): Uint8Array | null;
  /** A kernel address as `sprint_symbol` shows it: `vfs_read+0x0/0x3d0`, `0x1234` if nameless. */
  symbolName(address: bigint): string;
  /** For an event probe: the entry of the event it is attached to, common fields included. */
  readonly entry?: Uint8Array;
}
