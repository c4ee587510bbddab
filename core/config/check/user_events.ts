import type { Finding } from "../finding.ts";
import { didYouMean } from "../text.ts";
import { entriesOf, get, type Path, type Plain } from "../tree.ts";
import { ValueError } from "../units.ts";
import {
  kernelFieldType,
  MAX_REGISTRATION,
  registrationText,
} from "../../user_events/field_type.ts";

/** Checks `user_events`: that namespaces are declared, and that the kernel takes the fields. */
export function checkUserEvents(config: Plain): Finding[] {
  return entriesOf(get(config, "user_events")).flatMap(([id, event]) => {
    const path = ["user_events", id];
    const namespace = get(event, "namespace");
    return [
      ...(typeof namespace === "string"
        ? checkNamespace(config, namespace, [...path, "namespace"])
        : []),
      ...checkFields(id, event, path),
    ];
  });
}

function checkNamespace(config: Plain, namespace: string, path: Path): Finding[] {
  const declared = entriesOf(get(config, "namespaces")).map(([name]) => name);
  if (declared.includes(namespace)) return [];
  return [{
    path,
    code: "undeclared",
    message: `Namespace "${namespace}" is not declared`,
    hint: () => didYouMean(namespace, declared) ?? `Declare it: namespaces: { ${namespace}: {} }`,
  }];
}

function checkFields(id: string, event: Plain, path: Path): Finding[] {
  const fields = entriesOf(get(event, "fields")).filter((
    field,
  ): field is readonly [string, string] => typeof field[1] === "string");
  const findings = fields.flatMap(([name, type]) => checkType(type, [...path, "fields", name]));
  if (findings.length > 0) return findings;
  // Where the kernel has no namespaces, the event carries its namespace in its name.
  const namespace = get(event, "namespace");
  const name = typeof namespace === "string" ? `${namespace}.${id}` : id;
  const { length } = registrationText(name, fields);
  if (length <= MAX_REGISTRATION) return [];
  return [{
    path,
    onKey: true,
    code: "too_large",
    message: `The registration of the event has ${length} characters`,
    hint: `The kernel takes ${MAX_REGISTRATION}; use fewer fields or shorter names`,
  }];
}

function checkType(type: string, path: Path): Finding[] {
  try {
    kernelFieldType(type);
    return [];
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const { message, hint } = error;
    return [{ path, code: "bad_value", message, ...(hint && { hint }) }];
  }
}

/** What a reference such as `shop/checkout` means in a config. */
export interface UserEventLookup {
  /** The declaration; absent if the event is not declared in this file. */
  readonly event?: Plain;
  /** What is wrong with the reference; a warning if another program may have the event. */
  readonly finding?: Omit<Finding, "path">;
}

/** Looks up `reference`, which is `namespace/event`, or `event` in the root namespace. */
export function findUserEvent(config: Plain, reference: string): UserEventLookup {
  const slash = reference.indexOf("/");
  const namespace = slash < 0 ? undefined : reference.slice(0, slash);
  const id = reference.slice(slash + 1);
  if (namespace !== undefined) {
    const [wrong] = checkNamespace(config, namespace, []);
    if (wrong) return { finding: wrong };
  }
  const events = entriesOf(get(config, "user_events"));
  const event = events.find(([name]) => name === id)?.[1];
  const declaredIn = get(event, "namespace");
  if (event !== undefined && declaredIn === namespace) return { event };
  if (event !== undefined) return { finding: elsewhere(id, declaredIn) };
  const names = events.map(([name]) => name);
  return {
    finding: {
      code: "undeclared",
      severity: "warning",
      message: `user_event "${reference}" is not declared in this file`,
      hint: () =>
        didYouMean(id, names) ??
          "Another program must register it; to register it here, declare it under user_events",
    },
  };
}

function elsewhere(id: string, namespace: Plain | undefined): Omit<Finding, "path"> {
  const right = typeof namespace === "string" ? `${namespace}/${id}` : id;
  return {
    code: "undeclared",
    message: typeof namespace === "string"
      ? `user_event "${id}" is in namespace "${namespace}"`
      : `user_event "${id}" is in no namespace`,
    hint: `Write ${right}`,
  };
}
