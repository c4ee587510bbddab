import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FilterVersion } from "../../../core/filter/field.ts";
import { answerMatch, answerWrite, fieldsOfEvent, readVectors } from "./vectors.ts";

for (const version of ["6.12", "6.1"] satisfies FilterVersion[]) {
  describe(`a real ${version} kernel`, () => {
    const vectors = readVectors(version);
    const fields = new Map(
      vectors.filter((vector) => vector.kind === "event")
        .map((vector) => [vector.event, fieldsOfEvent(vector, version)]),
    );

    it("answers to filters with the same errno, text and caret", () => {
      const writes = vectors.filter((vector) => vector.kind === "write");
      assert.ok(writes.length > 500);
      for (const vector of writes) {
        assert.deepEqual(answerWrite(vector, fields.get(vector.event) ?? [], version), vector);
      }
    });

    it("lets the same events pass", () => {
      const matches = vectors.filter((vector) => vector.kind === "match");
      assert.ok(matches.length > 50);
      for (const vector of matches) {
        const passed = answerMatch(vector, fields.get(vector.event) ?? [], version);
        assert.deepEqual(passed, vector.passed, vector.filter);
      }
    });
  });
}
