import type { NativeCalls, NoNativeCalls } from "../port.ts";

/** The native calls of a runtime without FFI: none. */
export function openNative(): NativeCalls | NoNativeCalls {
  return {
    unavailable: "This runtime has no FFI; run sonde as its compiled binary, or on Bun or Deno",
  };
}
