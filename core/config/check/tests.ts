import type { Finding } from "../finding.ts";
import { DEFINED_KINDS } from "../schema/probe.ts";
import { didYouMean } from "../text.ts";
import { entriesOf, get, itemsOf, type Path, type Plain } from "../tree.ts";
import { checkLoad } from "./simulate.ts";

/** Checks `tests`: that what is expected can be recorded at all. */
export function checkTests(config: Plain): Finding[] {
  return entriesOf(get(config, "tests")).flatMap(([id, test]) => {
    const path = ["tests", id];
    const expected = entriesOf(get(test, "expect")).filter(([probe]) => probe !== "lost");
    return [
      ...checkLoad(config, test, path),
      ...expected.flatMap(([probe, expectation]) =>
        checkExpectation(config, probe, expectation, [...path, "expect", probe])
      ),
    ];
  });
}

function checkExpectation(config: Plain, id: string, expectation: Plain, path: Path): Finding[] {
  const probes = get(config, "probes");
  const probe = get(probes, id);
  if (probe === undefined) {
    return [{
      path,
      onKey: true,
      code: "undeclared",
      message: `Probe "${id}" is not declared`,
      hint: () =>
        didYouMean(id, [...entriesOf(probes).map(([known]) => known), "lost"]) ??
          "Expect records of a key of probes, or lost events",
    }];
  }
  if (!DEFINED_KINDS.some((kind) => get(probe, kind) !== undefined)) return [];
  const captured = entriesOf(get(probe, "capture")).map(([name]) => name);
  const records = itemsOf(get(expectation, "records"));
  return [
    ...checkValues(get(expectation, "args"), captured, [...path, "args"]),
    ...records.flatMap((record, index) =>
      checkValues(record, captured, [...path, "records", index])
    ),
  ];
}

function checkValues(
  values: Plain | undefined,
  captured: readonly string[],
  path: Path,
): Finding[] {
  return entriesOf(values).filter(([name]) => !captured.includes(name)).map(([name]) => ({
    path: [...path, name],
    onKey: true,
    code: "undeclared",
    message: `The probe does not capture "${name}"`,
    hint: () =>
      didYouMean(name, captured) ??
        (captured.length > 0 ? `It captures ${captured.join(", ")}` : "It captures nothing"),
  }));
}
