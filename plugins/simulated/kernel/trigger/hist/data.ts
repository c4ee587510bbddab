import type { FilterVersion } from "../../../../../core/filter/field.ts";
import type { TriggerEvent } from "../host.ts";
import type { Action } from "./action.ts";
import type { HistAttributes } from "./attributes.ts";
import type { HistField } from "./field.ts";
import { HistMap } from "./map.ts";

/** How entries are sorted: by the n-th field that is no variable, 0 being the hit count. */
export interface SortKey {
  readonly index: number;
  readonly descending: boolean;
}

/** A field that an action reads, and the variable it was put into. */
export interface FieldVariable {
  readonly variable: HistField;
  readonly value: HistField;
}

/** A histogram that an action had made on another event, and the command that made it. */
export interface FieldHist {
  readonly event: TriggerEvent;
  readonly command: string;
}

/** One histogram (`struct hist_trigger_data`). */
export class HistData {
  readonly version: FilterVersion;
  readonly event: TriggerEvent;
  readonly attributes: HistAttributes;
  /** Whether this was made from a command that removes. */
  readonly forRemoval: boolean;
  /** The hit count first, then values and variables as they came. */
  readonly values: HistField[] = [];
  readonly keys: HistField[] = [];
  /** Variables among {@link values}. */
  variableCount = 0;
  /** Variables that hold a string or a stack. */
  stringCount = 0;
  /** Bytes of the compound key. */
  keySize = 0;
  sortKeys: readonly SortKey[] = [{ index: 0, descending: false }];
  usesTimestamps = false;
  /** References to variables, those of other histograms included. */
  readonly references: HistField[] = [];
  readonly actions: Action[] = [];
  readonly fieldVariables: FieldVariable[] = [];
  readonly fieldHists: FieldHist[] = [];
  readonly savedVariables: FieldVariable[] = [];
  readonly map: HistMap;

  constructor(event: TriggerEvent, attributes: HistAttributes, options: {
    readonly version: FilterVersion;
    readonly forRemoval: boolean;
  }) {
    this.event = event;
    this.attributes = attributes;
    this.version = options.version;
    this.forRemoval = options.forRemoval;
    this.map = new HistMap(1 << attributes.sizeBits);
  }

  /** Values, variables and keys. */
  get fields(): readonly HistField[] {
    return [...this.values, ...this.keys];
  }
}
