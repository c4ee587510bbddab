import type { Unplaceable } from "../../core/backend.ts";
import { exists, tryReadText } from "../../core/kernel/files.ts";
import type { Kernel } from "../../core/kernel/port.ts";
import { DefinitionError } from "../../core/probe/error.ts";
import {
  isDefinedProbe,
  type KernelPlace,
  type Probe,
  type UserPlace,
} from "../../core/probe/probe.ts";
import { Kallsyms } from "../../core/symbols/kallsyms.ts";
import { nearest } from "../../core/text/nearest.ts";
import { definitionLine } from "./operations.ts";

/** Tells whether this kernel has the places that probes are to sit on. Symbols are read once. */
export class Locator {
  readonly #kernel: Kernel;
  readonly #root: string;
  #symbols: Kallsyms | undefined;

  constructor(kernel: Kernel, root: string) {
    this.#kernel = kernel;
    this.#root = root;
  }

  locate(probe: Probe): Unplaceable | undefined {
    return this.#locatePlace(probe) ?? this.#checkDefinition(probe);
  }

  /** What was checked without a kernel may still not be for this one: its registers, its release. */
  #checkDefinition(probe: Probe): Unplaceable | undefined {
    if (!isDefinedProbe(probe)) return undefined;
    try {
      definitionLine(probe, this.#kernel.machine);
      return undefined;
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      return { reason: error.message, hint: error.hint };
    }
  }

  #locatePlace(probe: Probe): Unplaceable | undefined {
    switch (probe.kind) {
      case "kprobe":
      case "kretprobe":
        return this.#locateFeature("kprobe_events", "CONFIG_KPROBE_EVENTS") ??
          this.#locateFunction(probe.place);
      case "uprobe":
      case "uretprobe":
        return this.#locateFeature("uprobe_events", "CONFIG_UPROBE_EVENTS") ??
          this.#locateFile(probe.place);
      case "tracepoint":
        return this.#locateEvent(probe.group, probe.event);
      case "user_event":
        return this.#locateUserEvents();
    }
  }

  #locateFeature(file: string, option: string): Unplaceable | undefined {
    if (exists(this.#kernel, `${this.#root}/${file}`)) return undefined;
    return {
      reason: `This kernel has no ${file.replace("_events", "s")}`,
      hint: `A kernel with ${option} has them`,
      lacksFeature: true,
    };
  }

  /**
   * The kernel accepts functions of modules that are not loaded and never fires them
   * (kernel/trace/trace_kprobe.c), so the symbol is looked up here.
   */
  #locateFunction(place: KernelPlace): Unplaceable | undefined {
    const text = this.#symbols === undefined
      ? tryReadText(this.#kernel, "/proc/kallsyms")
      : undefined;
    this.#symbols ??= new Kallsyms(text ?? "");
    if (this.#symbols.empty) return undefined; // No list to judge by: the kernel will.

    const found = this.#symbols.find(place.symbol, place.module);
    if (found.length === 1) return undefined;
    if (found.length > 1) {
      return {
        reason: `${found.length} functions are called "${place.symbol}"`,
        hint: found.some((symbol) => symbol.module !== undefined)
          ? `Name the module: ${
            [...new Set(found.map((symbol) => symbol.module ?? "vmlinux"))].join(", ")
          }`
          : "A kprobe cannot tell them apart; take a function with a name of its own",
      };
    }
    return this.#missingFunction(place);
  }

  #missingFunction({ symbol, module }: KernelPlace): Unplaceable {
    const where = module === undefined ? "This kernel" : `Module "${module}"`;
    const variants = this.#symbols!.variants(symbol);
    if (variants.length > 0) {
      return {
        reason: `${where} has no function "${symbol}", only ${quote(variants)}`,
        hint: "The compiler changed it: arguments may differ from the source",
      };
    }
    const similar = nearest(symbol, this.#symbols!.names());
    return {
      reason: `${where} has no function "${symbol}"`,
      hint: similar.length > 0 ? `Similar names: ${similar.join(", ")}` : undefined,
    };
  }

  #locateFile({ path }: UserPlace): Unplaceable | undefined {
    if (!exists(this.#kernel, path)) return { reason: `There is no file "${path}"` };
    const { kind } = this.#kernel.stat(path);
    return kind === "file" ? undefined : { reason: `"${path}" is not a regular file` };
  }

  /** The event itself may be registered at any time. */
  #locateUserEvents(): Unplaceable | undefined {
    if (exists(this.#kernel, `${this.#root}/user_events_data`)) return undefined;
    return {
      reason: "This kernel has no user_events",
      hint: "A kernel with CONFIG_USER_EVENTS (6.4 and later) has them",
      lacksFeature: true,
    };
  }

  #locateEvent(system: string, event: string): Unplaceable | undefined {
    const events = `${this.#root}/events`;
    if (exists(this.#kernel, `${events}/${system}/${event}/format`)) return undefined;
    if (!exists(this.#kernel, `${events}/${system}`)) {
      const similar = nearest(system, this.#kernel.list(events));
      return {
        reason: `This kernel has no tracepoint system "${system}"`,
        hint: similar.length > 0 ? `Similar names: ${similar.join(", ")}` : undefined,
      };
    }
    const similar = nearest(event, this.#kernel.list(`${events}/${system}`));
    return {
      reason: `This kernel has no tracepoint "${system}/${event}"`,
      hint: similar.length > 0
        ? `Similar names: ${similar.map((name) => `${system}/${name}`).join(", ")}`
        : undefined,
    };
  }
}

function quote(names: readonly string[]): string {
  return names.slice(0, 3).map((name) => `"${name}"`).join(", ");
}
