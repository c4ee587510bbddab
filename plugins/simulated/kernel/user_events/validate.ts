import type { Validator } from "./layout.ts";

/**
 * Whether the dynamic data of an entry lies inside of it, and strings end with NUL
 * (`user_event_validate`). A location word has the size in its upper half and the offset in its
 * lower; for `__data_loc` that is counted from the start of the entry, common fields included.
 */
export function payloadIsValid(entry: Uint8Array, validators: readonly Validator[]): boolean {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
  return validators.every(({ offset, relative, ensureNul }) => {
    // Wrapped offsets may point outside: the kernel reads there, whatever it finds.
    if (offset < 0 || offset + 4 > entry.length) return false;
    const location = view.getUint32(offset, true);
    const start = (location & 0xffff) + (relative ? offset + 4 : 0);
    const end = start + (location >>> 16);
    if (end > entry.length) return false;
    // With nothing at offset 0 the kernel looks at the byte before the entry: in a ring buffer it
    // is 0 if the last record is less than half a millisecond old.
    return !ensureNul || end === 0 || entry[end - 1] === 0;
  });
}
