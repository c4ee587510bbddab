import type { EventField } from "../event_field.ts";
import { fromByteString } from "../../../../core/filter/bytes.ts";
import { bindFilter } from "../../../../core/filter/parse.ts";
import { FilterError } from "../../../../core/filter/error.ts";
import type { BtfPrototype, BtfType } from "../dynamic/btf.ts";
import type { DynamicEvent } from "../dynamic/event.ts";
import type { DynamicHost, KernelSymbol } from "../dynamic/host.ts";
import type { KernelFunction, OtherSymbol } from "../profile.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import { isInternal } from "./event.ts";
import type { Tracing } from "./tracing.ts";

/** Systems whose tracepoints lie in files that are built without ftrace's hooks (kernel/trace/Makefile). */
const UNTRACEABLE_SYSTEMS: ReadonlySet<string> = new Set(["power", "rpm"]);

/** What the definition files ask of the kernel around them, answered from the host profile. */
export function dynamicHost(kernel: SimulatedKernel, tracing: Tracing): DynamicHost {
  const { profile } = kernel;
  return {
    version: kernel.version,
    arch: kernel.arch,
    possibleCpus: kernel.cpus,
    characterTypeIds: profile.types?.characterTypeIds ?? new Set(),
    // Offsets as in x86-64 builds of 6.1 and 6.12; they only show in the text of %pd arguments.
    dentryNameOffset: profile.types?.dentryNameOffset ?? 40,
    fileDentryOffset: profile.types?.fileDentryOffset ?? (kernel.version === "6.1" ? 24 : 72),
    now: () => kernel.scheduler.now,
    symbols: (name) => [
      ...profile.functionsNamed(name).map(functionSymbol),
      ...profile.symbolsNamed(name).map(otherSymbol),
    ],
    symbolAt: (address) => {
      const found = profile.symbolAt(address);
      return found &&
        (found.kind === "function" ? functionSymbol(found.symbol) : otherSymbol(found.symbol));
    },
    traceableFunctions: () =>
      profile.functions.filter(({ traceable }) => traceable).map(functionSymbol),
    prototype: (name) => {
      if (profile.types !== undefined) return profile.types.prototype(name);
      const [found] = profile.functionsNamed(name);
      return found && prototypeOf(found);
    },
    hasModule: (name) => profile.modules.includes(name),
    tracepoint: (name) => {
      const found = profile.tracepoints.find((tracepoint) => tracepoint.name === name);
      if (found === undefined) return undefined;
      const prototype = profile.types?.prototype(`__probestub_${name}`);
      return {
        name,
        traceable: !UNTRACEABLE_SYSTEMS.has(found.system),
        ...(prototype && { prototype: { ...prototype, params: prototype.params.slice(1) } }),
      };
    },
    lookupPath: (path) => kernel.lookUpFile(fromByteString(path)),
    event: (system, name) => {
      const found = tracing.registry.find(system, name);
      const isDynamic = found?.kind !== undefined && found.kind !== "user_event";
      return found === undefined || isDynamic
        ? undefined
        : { system, name, fields: found.fields, internal: isInternal(found) };
    },
    checkFilter: (fields: readonly EventField[], filter) => {
      try {
        bindFilter(filter, fields, { version: kernel.version, cpuCount: kernel.cpus });
        return undefined;
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        tracing.dynamic.errors.log("event filter parse error", filter, error.text, error.position);
        return error.errnoName;
      }
    },
    hashPointer: (address) => (address * 0x9e3779b97f4a7c15n >> 16n) & 0xffff_ffffn,
    allocateEventId: () => tracing.registry.allocateId() ?? undefined,
    releaseEventId: (id) => tracing.registry.releaseId(id),
    usage: (event: DynamicEvent) => tracing.usageOf(event),
    onAdd: (event) => tracing.addDynamic(event),
    onRemove: (event) => tracing.removeDynamic(event),
    onReset: (wipe) => tracing.resetMarked(wipe),
  };
}

function functionSymbol(entry: KernelFunction): KernelSymbol {
  const { name, address, module, traceable, blacklisted, endbr } = entry;
  return {
    name,
    address,
    ...(module !== undefined && { module }),
    ...(endbr !== undefined && { endbr }),
    traceable,
    blacklisted,
  };
}

function otherSymbol({ name, address, module }: OtherSymbol): KernelSymbol {
  return { name, address, ...(module !== undefined && { module }), traceable: false, data: true };
}

/** The prototype, as BTF would have it, of a function whose parameters all have names. */
function prototypeOf(entry: KernelFunction): BtfPrototype | undefined {
  const params = entry.parameters.map(({ name, type }) => name && { name, type: btfType(type) });
  if (!params.every((param) => typeof param === "object")) return undefined;
  return {
    params,
    returns: entry.returns === undefined ? { kind: "void" } : btfType(entry.returns),
  };
}

function btfType(type: string): BtfType {
  const match = /^([su])(8|16|32|64)$/.exec(type);
  if (match !== null) {
    const bits = Number(match[2]);
    return { kind: "int", size: bits / 8, bits, signed: match[1] === "s" };
  }
  const isText = type === "string" || type === "ustring";
  const target: BtfType = isText
    ? { kind: "int", size: 1, bits: 8, signed: false }
    : { kind: "void" };
  return { kind: "pointer", target };
}
