/**
 * Types of kernel code as BTF describes them, as far as fetch arguments look at
 * them (kernel/trace/trace_btf.c, kernel/bpf/btf.c). `typedef`, `const` and
 * `volatile` are left out: what they qualify stands in their place.
 * @module
 */

/** A type; graphs of them may be cyclic. */
export type BtfType =
  | { readonly kind: "void" }
  | {
    readonly kind: "int";
    /** Bytes. */
    readonly size: number;
    /** Bits that count; fewer than the size has in an old-style bitfield. */
    readonly bits: number;
    /** Where those bits start; 0 unless given. */
    readonly bitOffset?: number;
    /** `char` is not signed here: compilers emit it without the flag. */
    readonly signed: boolean;
  }
  | { readonly kind: "enum" | "enum64"; readonly size: number }
  | { readonly kind: "pointer"; readonly target: BtfType }
  | { readonly kind: "array"; readonly element: BtfType }
  | BtfStruct
  /** A function, a declaration without a body, a floating point number. */
  | { readonly kind: "other"; readonly size: number };

/** A `struct` or a `union`. */
export interface BtfStruct {
  readonly kind: "struct";
  /** Bytes. */
  readonly size: number;
  readonly members: readonly BtfMember[];
}

/** A member of a `struct` or `union`. */
export interface BtfMember {
  /** Absent for an anonymous struct or union. */
  readonly name?: string;
  readonly type: BtfType;
  /** Bits from the start of the struct. */
  readonly bitOffset: number;
  /** Bits of a bitfield; absent for a plain member. */
  readonly bitSize?: number;
}

/** What a function takes and gives. */
export interface BtfPrototype {
  readonly params: readonly BtfParam[];
  readonly returns: BtfType;
}

/** A parameter of a function. */
export interface BtfParam {
  readonly name: string;
  readonly type: BtfType;
}

/** Depth of the kernel's stack of anonymous members (`BTF_ANON_STACK_MAX`). */
const ANONYMOUS_MAX = 16;

/** A member with its offset, in bits, from the struct that was searched. */
export interface FoundMember {
  readonly member: BtfMember;
  readonly bitOffset: number;
}

/**
 * The member of `struct` with a name, looked for in anonymous members too: the
 * last of them first, as the kernel does (`btf_find_struct_member`).
 */
export function findMember(struct: BtfStruct, name: string): FoundMember | undefined {
  const pending: { struct: BtfStruct; bitOffset: number }[] = [];
  let current: BtfStruct | undefined = struct;
  let base = 0;
  while (current !== undefined) {
    for (const member of current.members) {
      if (member.name === name) return { member, bitOffset: base + member.bitOffset };
      const anonymous = member.name === undefined && member.type.kind === "struct";
      if (anonymous && pending.length < ANONYMOUS_MAX) {
        pending.push({ struct: member.type, bitOffset: base + member.bitOffset });
      }
    }
    const next = pending.pop();
    current = next?.struct;
    base = next?.bitOffset ?? 0;
  }
  return undefined;
}

/** Whether `type` is what the kernel takes for a character: any unsigned 8-bit integer. */
export function isCharacter(type: BtfType): boolean {
  return type.kind === "int" && !type.signed && type.bits === 8;
}

/**
 * Whether the kernel takes `type` for a pointer to characters. It does not look
 * at the kind: of a type that is no pointer it takes the size for the id of a
 * type (`btf_type_is_char_ptr`, kernel/trace/trace_probe.c), so `:string` is
 * accepted on an 8-byte integer where type 8 happens to be a character.
 *
 * @param characterIds the low BTF ids that stand for a character
 */
export function isCharacterPointer(type: BtfType, characterIds: ReadonlySet<number>): boolean {
  if (type.kind === "pointer") return isCharacter(type.target);
  return "size" in type && characterIds.has(type.size);
}

/** The fetch type that a value of `type` gets when none is asked for; nothing if the kernel knows none. */
export function fetchTypeName(type: BtfType): string | undefined {
  switch (type.kind) {
    case "enum":
      return "s32";
    case "enum64":
      return "s64";
    case "pointer":
      return "x64";
    case "int": {
      const known = [8, 16, 32, 64].includes(type.bits);
      if (known) return `${type.signed ? "s" : "u"}${type.bits}`;
      return type.signed ? undefined : "u64";
    }
    default:
      return undefined;
  }
}
