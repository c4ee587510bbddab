import type * as z from "zod";
import type { Path } from "../tree.ts";

type Schema = z.core.$ZodTypes;

/**
 * The schemas that hold for what stands at `path` below `schema`: none if nothing can stand
 * there, several where there are alternatives.
 */
export function schemasAt(schema: z.core.$ZodType, path: Path): readonly Schema[] {
  let at = alternatives(schema);
  for (const step of path) at = at.flatMap((one) => below(one, String(step)));
  return at;
}

/** Keys that a map at `path` can have; empty where keys are free. */
export function keysAt(schema: z.core.$ZodType, path: Path): readonly string[] {
  return schemasAt(schema, path).flatMap((one) => {
    const { def } = one._zod;
    return def.type === "object" ? Object.keys(def.shape) : [];
  });
}

/** `schema` without what wraps it, or the members of a union. */
function alternatives(schema: z.core.$ZodType): readonly Schema[] {
  const { def } = (schema as Schema)._zod;
  switch (def.type) {
    case "optional":
    case "default":
    case "prefault":
      return alternatives(def.innerType);
    case "lazy":
      return alternatives(def.getter());
    case "union":
      return def.options.flatMap(alternatives);
    default:
      return [schema as Schema];
  }
}

function below(schema: Schema, key: string): readonly Schema[] {
  const { def } = schema._zod;
  switch (def.type) {
    case "object": {
      const value = Object.hasOwn(def.shape, key) ? def.shape[key] : def.catchall;
      return value ? alternatives(value) : [];
    }
    case "record":
      return alternatives(def.valueType);
    case "array":
      return alternatives(def.element);
    default:
      return [];
  }
}
