/**
 * The kernel's BTF (`/sys/kernel/btf/vmlinux`) as prototypes of functions
 * (Documentation/bpf/btf.rst).
 * @module
 */

import type { BtfMember, BtfPrototype, BtfType } from "../kernel/dynamic/btf.ts";

const MAGIC = 0xeb9f;

const KIND = {
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FWD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC: 12,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  FLOAT: 16,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const;

/** Kinds that stand for the type they name. */
const QUALIFIERS: ReadonlySet<number> = new Set([
  KIND.TYPEDEF,
  KIND.VOLATILE,
  KIND.CONST,
  KIND.RESTRICT,
  KIND.TYPE_TAG,
]);

/** Words behind the first three of a type, by its kind, for each of its `vlen` parts. */
const PART_WORDS: Readonly<Record<number, number>> = {
  [KIND.STRUCT]: 3,
  [KIND.UNION]: 3,
  [KIND.ENUM]: 2,
  [KIND.FUNC_PROTO]: 2,
  [KIND.DATASEC]: 3,
  [KIND.ENUM64]: 3,
};

/** Words behind the first three of a type, whatever its `vlen`. */
const FIXED_WORDS: Readonly<Record<number, number>> = {
  [KIND.INT]: 1,
  [KIND.ARRAY]: 3,
  [KIND.VAR]: 1,
  [KIND.DECL_TAG]: 1,
};

/** Types below this id are looked at for characters; see {@link BtfFile.characterTypeIds}. */
const SMALL_ID = 64;

/** Types by id, made when they are asked for: they are many, and refer to each other in circles. */
export class BtfFile {
  readonly #view: DataView;
  readonly #strings: Uint8Array;
  /** Where each type is, by id from 1. */
  readonly #offsets: number[] = [0];
  readonly #functions = new Map<string, number>();
  readonly #types = new Map<number, BtfType>();

  /** @throws {RangeError} for bytes that are no BTF. */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (view.getUint16(0, true) !== MAGIC) throw new RangeError("Not BTF: wrong magic number");
    const header = view.getUint32(4, true);
    const typesAt = header + view.getUint32(8, true);
    const typesEnd = typesAt + view.getUint32(12, true);
    const stringsAt = header + view.getUint32(16, true);
    this.#view = view;
    this.#strings = bytes.subarray(stringsAt, stringsAt + view.getUint32(20, true));
    for (let at = typesAt; at < typesEnd; at += this.#sizeOf(at)) {
      if (this.#kind(at) === KIND.FUNC) {
        const name = this.#string(view.getUint32(at, true));
        // The first of a name counts (`btf_find_by_name_kind`).
        if (!this.#functions.has(name)) this.#functions.set(name, this.#offsets.length);
      }
      this.#offsets.push(at);
    }
  }

  /** Prototype of the first function called `name`. */
  prototype(name: string): BtfPrototype | undefined {
    const id = this.#functions.get(name);
    return id === undefined ? undefined : this.#prototypeAt(this.#typeWord(this.#offsets[id]));
  }

  /** The low ids that resolve to a character; the kernel takes sizes for ids in one place. */
  characterTypeIds(): Set<number> {
    const ids = new Set<number>();
    for (let id = 1; id < Math.min(SMALL_ID, this.#offsets.length); id++) {
      const type = this.type(id);
      if (type.kind === "int" && !type.signed && type.bits === 8) ids.add(id);
    }
    return ids;
  }

  /** Bytes from the start of struct `name` to `member`, also inside anonymous members. */
  offsetOf(name: string, member: string): number | undefined {
    for (let id = 1; id < this.#offsets.length; id++) {
      const at = this.#offsets[id];
      if (this.#kind(at) !== KIND.STRUCT) continue;
      if (this.#string(this.#view.getUint32(at, true)) !== name) continue;
      const bits = memberOffset(this.type(id), member);
      return bits === undefined ? undefined : bits / 8;
    }
    return undefined;
  }

  /** The type with an id; 0 is void. */
  type(id: number): BtfType {
    if (id === 0) return { kind: "void" };
    const known = this.#types.get(id);
    if (known !== undefined) return known;
    const made = this.#make(id);
    this.#types.set(id, made);
    return made;
  }

  #make(id: number): BtfType {
    const at = this.#offsets[id];
    if (at === undefined || id === 0) return { kind: "other", size: 0 };
    const kind = this.#kind(at);
    const size = this.#view.getUint32(at + 8, true);
    if (QUALIFIERS.has(kind)) return this.type(size);
    const type = (target: number) => this.type(target);
    switch (kind) {
      case KIND.INT: {
        const data = this.#view.getUint32(at + 12, true);
        const bitOffset = (data >>> 16) & 0xff;
        const signed = ((data >>> 24) & 1) === 1;
        return { kind: "int", size, bits: data & 0xff, bitOffset, signed };
      }
      case KIND.ENUM:
        return { kind: "enum", size };
      case KIND.ENUM64:
        return { kind: "enum64", size };
      case KIND.PTR:
        return {
          kind: "pointer",
          get target() {
            return type(size);
          },
        };
      case KIND.ARRAY: {
        const element = this.#view.getUint32(at + 12, true);
        return {
          kind: "array",
          get element() {
            return type(element);
          },
        };
      }
      case KIND.STRUCT:
      case KIND.UNION:
        return { kind: "struct", size, members: this.#members(at) };
      default:
        return { kind: "other", size: kind === KIND.FLOAT ? size : 0 };
    }
  }

  #members(at: number): BtfMember[] {
    const info = this.#view.getUint32(at + 4, true);
    // With the kind flag the offset holds the size of a bitfield in its highest byte.
    const withBits = info >>> 31 === 1;
    const type = (id: number) => this.type(id);
    return Array.from({ length: info & 0xffff }, (_, index) => {
      const part = at + 12 + index * 12;
      const name = this.#string(this.#view.getUint32(part, true));
      const id = this.#view.getUint32(part + 4, true);
      const offset = this.#view.getUint32(part + 8, true);
      const bitSize = withBits ? offset >>> 24 : 0;
      return {
        ...(name !== "" && { name }),
        bitOffset: withBits ? offset & 0xffffff : offset,
        ...(bitSize > 0 && { bitSize }),
        get type() {
          return type(id);
        },
      };
    });
  }

  #prototypeAt(id: number): BtfPrototype | undefined {
    const at = this.#offsets[id];
    if (at === undefined || this.#kind(at) !== KIND.FUNC_PROTO) return undefined;
    const count = this.#view.getUint32(at + 4, true) & 0xffff;
    const params = Array.from({ length: count }, (_, index) => {
      const part = at + 12 + index * 8;
      return {
        name: this.#string(this.#view.getUint32(part, true)),
        type: this.type(this.#view.getUint32(part + 4, true)),
      };
    });
    return { params, returns: this.type(this.#typeWord(at)) };
  }

  #kind(at: number): number {
    return (this.#view.getUint32(at + 4, true) >>> 24) & 31;
  }

  #typeWord(at: number): number {
    return this.#view.getUint32(at + 8, true);
  }

  #sizeOf(at: number): number {
    const kind = this.#kind(at);
    const parts = this.#view.getUint32(at + 4, true) & 0xffff;
    return 12 + 4 * ((FIXED_WORDS[kind] ?? 0) + (PART_WORDS[kind] ?? 0) * parts);
  }

  #string(offset: number): string {
    const end = this.#strings.indexOf(0, offset);
    return new TextDecoder().decode(this.#strings.subarray(offset, end));
  }
}

function memberOffset(type: BtfType, name: string): number | undefined {
  if (type.kind !== "struct") return undefined;
  for (const member of type.members) {
    if (member.name === name) return member.bitOffset;
    if (member.name !== undefined) continue;
    const inner = memberOffset(member.type, name);
    if (inner !== undefined) return member.bitOffset + inner;
  }
  return undefined;
}
