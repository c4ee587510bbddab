/**
 * Durations and sizes as people write them: a whole number and a unit, never a bare number.
 * @module
 */

/** A value that cannot be read: what is wrong with it, and what would help. */
export class ValueError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = "ValueError";
    this.hint = hint;
  }
}

const NANOSECONDS = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
} as const;

const BYTES = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** What a duration looks like, for JSON Schema. */
export const DURATION_PATTERN = "^[0-9]+(ns|us|ms|s|m|h)$";
/** What a size looks like, for JSON Schema. */
export const SIZE_PATTERN = "^[0-9]+(B|KiB|MiB|GiB)$";

const MAX_DURATION = 2n ** 63n - 1n;
const MAX_SIZE = 2 ** 40;
const DURATION_HINT = "Write a whole number and one of ns, us, ms, s, m, h, such as 100ms";
const SIZE_HINT = "Write a whole number and one of B, KiB, MiB, GiB, such as 64KiB";

/**
 * Reads a duration such as `10ms` into nanoseconds, 0 to 2^63-1.
 * @throws {ValueError} for anything else, with a hint.
 */
export function parseDuration(input: unknown): bigint {
  if (typeof input === "number") {
    throw new ValueError(`Duration ${input} has no unit`, unitHint(input, DURATION_HINT, "ms"));
  }
  if (typeof input !== "string") throw new ValueError("Expected a duration", DURATION_HINT);
  const [digits, unit] = split(input);
  if (!Object.hasOwn(NANOSECONDS, unit)) {
    throw new ValueError(`Cannot read duration "${input}"`, DURATION_HINT);
  }
  const value = digits * NANOSECONDS[unit as keyof typeof NANOSECONDS];
  if (value > MAX_DURATION) throw new ValueError(`Duration "${input}" is above 292 years`);
  return value;
}

/**
 * Reads a size such as `64KiB` into bytes, 0 to 2^40.
 * @throws {ValueError} for anything else, with a hint.
 */
export function parseSize(input: unknown): number {
  if (typeof input === "number") {
    throw new ValueError(`Size ${input} has no unit`, unitHint(input, SIZE_HINT, "KiB"));
  }
  if (typeof input !== "string") throw new ValueError("Expected a size", SIZE_HINT);
  const [digits, unit] = split(input);
  if (/^([kKMG]|[kKMG][bB]|[KMG]ib|[kmg]ib)$/.test(unit)) {
    const meant = `${digits}${unit[0].toUpperCase()}iB`;
    throw new ValueError(
      `Unknown unit in size "${input}"`,
      `Write ${meant}; units are powers of 1024`,
    );
  }
  if (!Object.hasOwn(BYTES, unit)) throw new ValueError(`Cannot read size "${input}"`, SIZE_HINT);
  const value = Number(digits) * BYTES[unit as keyof typeof BYTES];
  if (value > MAX_SIZE) throw new ValueError(`Size "${input}" is above 1024GiB`);
  return value;
}

/** The number and the unit of `text`; an empty unit if it does not start with a short number. */
function split(text: string): [bigint, string] {
  const match = /^([0-9]{1,19})([A-Za-z]+)$/.exec(text);
  return match ? [BigInt(match[1]), match[2]] : [0n, ""];
}

function unitHint(value: number, general: string, unit: string): string {
  return Number.isSafeInteger(value) && value >= 0 ? `Write ${value}${unit}, for example` : general;
}
