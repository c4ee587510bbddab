import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readVectors } from "../../../../vm/user_events/vector_file.ts";
import { Replay } from "./replay.ts";

describe("user_events against what real kernels answered", () => {
  for (const era of ["6.1", "6.12"] as const) {
    const path = new URL(`../../vectors/user-events-${era}.jsonl`, import.meta.url);
    const replay = new Replay(era);
    for (const section of readVectors(path)) {
      it(`${era}: ${section.name}`, () => {
        assert.deepEqual(replay.differences([section]), []);
      });
    }
  }
});
