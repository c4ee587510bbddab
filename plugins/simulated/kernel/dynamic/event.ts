import type { EventField } from "../event_field.ts";
import type { ProbeArgument } from "./fetch_program.ts";
import { encodeEntry } from "./fetch_run.ts";
import { type EntryHeader, formatText, probeFields, probePrintFmt } from "./format.ts";
import type { Hit } from "./hit.ts";
import type { DynamicHost } from "./host.ts";
import type { SyntheticEvent } from "./synthetic_event.ts";

/** A trace event that was made by writing to a definition file. */
export type DynamicEvent = ProbeEvent | SyntheticEvent;

/** What a probe event's probes sit on; a `tprobe` is a probe of a tracepoint. */
export type ProbeKind = "kprobe" | "uprobe" | "fprobe" | "tprobe" | "eprobe";

/** Where one probe of an event sits. */
export type Place =
  | {
    readonly kind: "kprobe";
    /** `[module:]name`; absent if the definition gave an address. */
    readonly symbol: string | undefined;
    /** Bytes from the symbol. */
    readonly offset: bigint;
    /** Where it was placed; absent if it never fires (unknown module or address). */
    readonly address: bigint | undefined;
    /** Returns that are followed at once; 0 for an entry probe, or one that never fires. */
    readonly maxActive: number;
  }
  | {
    readonly kind: "uprobe";
    /** As it was written. */
    readonly path: string;
    readonly inode: string;
    /** Bytes from the start of the file. */
    readonly offset: bigint;
    /** Offset of the reference counter in the file; 0 for none. */
    readonly refCounter: bigint;
  }
  | {
    readonly kind: "fprobe";
    /** Function name or pattern as it was written. */
    readonly symbol: string;
    /** Addresses of the functions it matched. */
    readonly addresses: readonly bigint[];
    /** 0 for the kernel's own choice. */
    readonly maxActive: number;
  }
  | {
    readonly kind: "tprobe";
    readonly tracepoint: string;
    /** Whether the kernel has the tracepoint; if not, the probe waits for a module. */
    readonly known: boolean;
  }
  | {
    readonly kind: "eprobe";
    readonly system: string;
    readonly event: string;
    /** Filter on the entries of that event; absent for none. */
    readonly filter: string | undefined;
  };

/** What tells the places of an event's probes apart. */
export type PlaceIdentity =
  | Pick<Extract<Place, { kind: "kprobe" }>, "kind" | "symbol" | "offset">
  | Pick<Extract<Place, { kind: "uprobe" }>, "kind" | "inode" | "offset">
  | Pick<Extract<Place, { kind: "fprobe" }>, "kind" | "symbol">
  | Pick<Extract<Place, { kind: "tprobe" }>, "kind" | "tracepoint">
  | Pick<Extract<Place, { kind: "eprobe" }>, "kind" | "system" | "event">;

/** The same text for what the kernel takes for the same place; all addresses are one place to it. */
function placeKey(place: PlaceIdentity): string {
  switch (place.kind) {
    case "kprobe":
      return `${place.symbol ?? ""} ${place.offset}`;
    case "uprobe":
      return `${place.inode} ${place.offset}`;
    case "fprobe":
      return place.symbol;
    case "tprobe":
      return place.tracepoint;
    case "eprobe":
      return `${place.system} ${place.event}`;
  }
}

/** One probe of an event: the event may have several, with the same arguments. */
export class PlacedProbe {
  static #last = 0;
  /** Rises from one that is placed to the next. */
  readonly serial = ++PlacedProbe.#last;
  readonly place: Place;
  readonly arguments: readonly ProbeArgument[];
  readonly #event: ProbeEvent;

  constructor(event: ProbeEvent, place: Place, probeArguments: readonly ProbeArgument[]) {
    this.#event = event;
    this.place = place;
    this.arguments = probeArguments;
  }

  /**
   * The entry that a hit writes: the common fields zeroed, the rest as the kernel
   * stores it. Bytes that the kernel leaves as they were are 0.
   */
  encode(hit: Hit): Uint8Array<ArrayBuffer> {
    return encodeEntry(this.arguments, hit, {
      header: this.#event.header,
      user: this.place.kind === "uprobe",
      fileBase: this.place.kind === "uprobe" ? hit.ip - this.place.offset : 0n,
      arch: this.#event.arch,
    });
  }
}

/** An event whose entries come from probes (`struct trace_probe_event`). */
export class ProbeEvent {
  readonly kind: ProbeKind;
  readonly group: string;
  readonly name: string;
  readonly id: number;
  /** Whether its probes are on returns. */
  readonly isReturn: boolean;
  readonly header: EntryHeader;
  readonly arch: DynamicHost["arch"];
  readonly #arguments: readonly ProbeArgument[];
  readonly #probes: PlacedProbe[] = [];
  /** The same by place: an event may have thousands. */
  readonly #byPlace = new Map<string, PlacedProbe[]>();
  #fields: readonly EventField[] | undefined;

  constructor(options: {
    readonly kind: ProbeKind;
    readonly group: string;
    readonly name: string;
    readonly id: number;
    readonly isReturn: boolean;
    readonly arch: DynamicHost["arch"];
    readonly arguments: readonly ProbeArgument[];
  }) {
    this.kind = options.kind;
    this.group = options.group;
    this.name = options.name;
    this.id = options.id;
    this.isReturn = options.isReturn;
    this.arch = options.arch;
    this.header = entryHeader(options.kind, options.isReturn);
    this.#arguments = options.arguments;
  }

  /** Its own fields, without the common ones. */
  get fields(): readonly EventField[] {
    return this.#fields ??= probeFields(this.header, this.#arguments);
  }

  get printFmt(): string {
    return probePrintFmt(this.header, this.#arguments);
  }

  /** Its probes, oldest first; never empty while the event is there. */
  get probes(): readonly PlacedProbe[] {
    return this.#probes;
  }

  /** Its probes that sit in a place. */
  probesAt(place: PlaceIdentity): readonly PlacedProbe[] {
    return this.#byPlace.get(placeKey(place)) ?? [];
  }

  addProbe(probe: PlacedProbe): void {
    this.#probes.push(probe);
    const key = placeKey(probe.place);
    const others = this.#byPlace.get(key);
    if (others === undefined) this.#byPlace.set(key, [probe]);
    else others.push(probe);
  }

  removeProbe(probe: PlacedProbe): void {
    this.#probes.splice(this.#probes.indexOf(probe), 1);
    const key = placeKey(probe.place);
    const left = this.probesAt(probe.place).filter((other) => other !== probe);
    if (left.length === 0) this.#byPlace.delete(key);
    else this.#byPlace.set(key, left);
  }

  /** The entry that a hit of its first probe writes; see {@link PlacedProbe.encode}. */
  encode(hit: Hit): Uint8Array<ArrayBuffer> {
    const [first] = this.#probes;
    if (first === undefined) throw new TypeError(`event "${this.group}/${this.name}" is gone`);
    return first.encode(hit);
  }

  /** Its `format` file. */
  format(): string {
    return formatText(this);
  }
}

function entryHeader(kind: ProbeKind, isReturn: boolean): EntryHeader {
  if (kind === "eprobe") return "none";
  return isReturn ? "return" : "entry";
}
