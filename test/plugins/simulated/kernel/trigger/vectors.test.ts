import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FilterVersion } from "../../../../../core/filter/field.ts";
import { play, readScenarios } from "./scenario.ts";

for (const version of ["6.12", "6.1"] satisfies FilterVersion[]) {
  describe(`triggers of a real ${version} kernel`, () => {
    const [setup, vectors] = readScenarios(version);
    const names = [...new Set(vectors.map(({ name }) => name))];

    it("were recorded", () => assert.ok(vectors.length > 300));

    for (const name of names) {
      it(`answer as ours do: ${name}`, () => {
        for (const vector of vectors.filter((vector) => vector.name === name)) {
          for (const [i, answer] of play(vector, setup).entries()) {
            assert.deepEqual(
              answer,
              vector.answers[i],
              JSON.stringify(vector.steps.slice(0, i + 1)),
            );
          }
        }
      });
    }
  });
}
