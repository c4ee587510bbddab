import type { Backend, Unplaceable } from "../../core/backend.ts";
import type { Probe } from "../../core/probe/probe.ts";

/** What the functions of system calls are called in front (arch/…/include/asm/syscall_wrapper.h). */
const SYSCALL_PREFIX: Readonly<Record<string, string>> = {
  x86_64: "__x64_",
  aarch64: "__arm64_",
};

/** Finds the function of a system call under the name that the architecture gives it. */
export class SyscallNames {
  readonly #base: Backend;
  /** Symbols as the kernel has them, by what was asked for. */
  readonly #found = new Map<string, string>();

  constructor(base: Backend) {
    this.#base = base;
  }

  /** As the tracefs backend locates a probe, with `sys_getpid` tried as `__x64_sys_getpid` too. */
  async locate(probe: Probe): Promise<Unplaceable | undefined> {
    const fault = await this.#base.locate(probe);
    const prefix = SYSCALL_PREFIX[this.#base.kernel.machine.arch];
    if (fault === undefined || prefix === undefined) return fault;
    if (probe.kind !== "kprobe" && probe.kind !== "kretprobe") return fault;
    const { symbol } = probe.place;
    if (!symbol.startsWith("sys_")) return fault;
    const renamed = withSymbol(probe, prefix + symbol);
    if (await this.#base.locate(renamed) !== undefined) return fault;
    this.#found.set(symbol, prefix + symbol);
    return undefined;
  }

  /** The probe with the symbol under which it was located. */
  resolve(probe: Probe): Probe {
    if (probe.kind !== "kprobe" && probe.kind !== "kretprobe") return probe;
    const symbol = this.#found.get(probe.place.symbol);
    return symbol === undefined ? probe : withSymbol(probe, symbol);
  }
}

function withSymbol<P extends Extract<Probe, { kind: "kprobe" | "kretprobe" }>>(
  probe: P,
  symbol: string,
): P {
  return { ...probe, place: { ...probe.place, symbol } };
}
