import fc from "fast-check";
import type { Fetch, FetchExpression, FetchMember } from "../../../core/probe/fetch_arg.ts";
import type { FetchType } from "../../../core/probe/fetch_type.ts";

/** Plain objects, as the parser makes them. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { noNullPrototype: true });

const int64 = fc.bigInt({ min: -(1n << 63n) + 1n, max: (1n << 63n) - 1n });
const small = fc.bigInt({ min: -5000n, max: 5000n });

/** A C identifier of 1 to 8 characters. */
export const identifier: fc.Arbitrary<string> = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,7}$/);

const members: fc.Arbitrary<FetchMember[]> = fc.array(
  record({ via: fc.constantFrom("->" as const, "." as const), name: identifier }),
  { maxLength: 3 },
).map((list) =>
  list.map((member, index) => index === 0 ? { ...member, via: "->" as const } : member)
);

const { fetch } = fc.letrec<{ fetch: Fetch }>((tie) => ({
  fetch: fc.oneof(
    { depthSize: "medium" },
    record({ kind: fc.constant("argument" as const), index: fc.nat(2048) }),
    fc.constant({ kind: "all_arguments" as const }),
    record({ kind: fc.constant("retval" as const), members }),
    fc.constant({ kind: "stack_address" as const }),
    record({ kind: fc.constant("stack" as const), index: fc.nat(2048) }),
    fc.constant({ kind: "comm" as const }),
    record({ kind: fc.constant("register" as const), name: identifier }),
    record({
      kind: fc.constant("address" as const),
      address: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    }),
    record({
      kind: fc.constant("symbol" as const),
      symbol: identifier,
      offset: fc.oneof(small, int64),
    }),
    record({
      kind: fc.constant("file_offset" as const),
      offset: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
    }),
    record({
      kind: fc.constant("dereference" as const),
      offset: fc.oneof(small, int64),
      user: fc.boolean(),
      of: tie("fetch"),
    }),
    record({ kind: fc.constant("immediate" as const), value: int64 }),
    record({
      kind: fc.constant("text" as const),
      text: fc.stringMatching(/^[!$-9<-~]{0,12}$/),
    }),
    record({ kind: fc.constant("variable" as const), name: identifier, members }),
  ),
}));

const count = fc.oneof(fc.constant({}), record({ count: fc.integer({ min: 1, max: 64 }) }));

const type: fc.Arbitrary<FetchType> = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      ..."u8 u16 u32 u64 s8 s16 s32 s64 x8 x16 x32 x64 char string ustring symbol symstr".split(
        " ",
      ),
    ),
    count,
  ).map(([name, array]) => ({ kind: "basic" as const, name, ...array })),
  fc.tuple(fc.constantFrom(8 as const, 16 as const, 32 as const, 64 as const), fc.nat(7), count)
    .map(
      ([container, offset, array]) => ({
        kind: "bitfield" as const,
        width: container - offset,
        offset,
        container,
        ...array,
      }),
    ),
  fc.constantFrom("%pd" as const, "%pD" as const).map((name) => ({ kind: "path" as const, name })),
);

/** Any fetch argument; its text may be longer than the kernel takes. */
export const fetchExpression: fc.Arbitrary<FetchExpression> = fc.oneof(
  fetch.map((source) => ({ fetch: source })),
  record({ fetch, type }),
);
