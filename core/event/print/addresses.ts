/**
 * Bytes as the kernel prints them with `%p` and a letter (Documentation/core-api/printk-formats.rst,
 * lib/vsprintf.c): addresses, UUIDs, bitmaps, hex.
 * @module
 */

const AF_INET = 2;
const AF_INET6 = 10;

const hex = (byte: number) => byte.toString(16).padStart(2, "0");

/** Bytes in hex. */
export function hexBytes(bytes: Uint8Array, separator: string): string {
  return Array.from(bytes, hex).join(separator);
}

/** `192.168.0.1`; three digits each if `padded`. Empty where there are no four bytes. */
export function ipv4(bytes: Uint8Array, padded = false): string {
  if (bytes.length < 4) return "";
  return Array.from(bytes.subarray(0, 4), (byte) => String(byte).padStart(padded ? 3 : 0, "0"))
    .join(".");
}

/** Eight groups of four hex digits. */
export function ipv6(bytes: Uint8Array, separator: string): string {
  if (bytes.length < 16) return "";
  return groupsOf(bytes).map((group) => group.toString(16).padStart(4, "0")).join(separator);
}

/** The short form of RFC 5952; IPv4-mapped addresses end in the IPv4 form. */
export function ipv6Compressed(bytes: Uint8Array): string {
  if (bytes.length < 16) return "";
  const groups = groupsOf(bytes);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  const words = (mapped ? groups.slice(0, 6) : groups).map((group) => group.toString(16));
  const run = longestZeroRun(groups.slice(0, words.length));
  const tail = mapped ? [ipv4(bytes.subarray(12))] : [];
  if (run.length < 2) return [...words, ...tail].join(":");
  const before = words.slice(0, run.start).join(":");
  return `${before}::${[...words.slice(run.start + run.length), ...tail].join(":")}`;
}

/**
 * A `struct sockaddr` as `%pIS` prints it, with the options behind it: `p` port, `c` short form.
 */
export function socketAddress(bytes: Uint8Array, options: string): string {
  const family = bytes.length < 4 ? 0 : bytes[0]! | (bytes[1]! << 8);
  const port = options.includes("p") ? `:${(bytes[2]! << 8) | bytes[3]!}` : "";
  if (family === AF_INET && bytes.length >= 8) return ipv4(bytes.subarray(4)) + port;
  if (family !== AF_INET6 || bytes.length < 24) return "(invalid address)";
  const address = bytes.subarray(8, 24);
  const text = options.includes("c") ? ipv6Compressed(address) : ipv6(address, ":");
  return port === "" ? text : `[${text}]${port}`;
}

/** A UUID; `order` is the letter behind `%pU`: b and B big endian, l and L little, capital letters. */
export function uuid(bytes: Uint8Array, order: string): string {
  if (bytes.length < 16) return "";
  const little = order === "l" || order === "L";
  const places = little
    ? [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
    : [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
  const digits = places.map((place) => hex(bytes[place]!)).join("");
  const text = digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  return order === "B" || order === "L" ? text.toUpperCase() : text;
}

/** A bitmap of `bits` bits: as hex words, or as a list such as `0-3,7`. */
export function bitmap(bytes: Uint8Array, bits: number, form: "mask" | "list"): string {
  const size = Math.max(0, Math.min(bits, bytes.length * 8));
  const isSet = (bit: number) => bit < size && ((bytes[bit >> 3]! >> (bit & 7)) & 1) === 1;
  if (form === "list") return bitList(size, isSet);
  const words: string[] = [];
  for (let at = 0; at < size; at += 32) {
    let word = 0n;
    for (let bit = 0; bit < 32; bit++) if (isSet(at + bit)) word |= 1n << BigInt(bit);
    words.unshift(word.toString(16).padStart(Math.ceil(Math.min(32, size - at) / 4), "0"));
  }
  return words.join(",");
}

function bitList(size: number, isSet: (bit: number) => boolean): string {
  const ranges: string[] = [];
  for (let bit = 0; bit < size; bit++) {
    if (!isSet(bit)) continue;
    const first = bit;
    while (isSet(bit + 1)) bit++;
    ranges.push(first === bit ? String(bit) : `${first}-${bit}`);
  }
  return ranges.join(",");
}

function groupsOf(bytes: Uint8Array): number[] {
  return Array.from({ length: 8 }, (_, i) => (bytes[i * 2]! << 8) | bytes[i * 2 + 1]!);
}

/** The first of the longest runs of zeros. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}
