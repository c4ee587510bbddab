import * as z from "zod";
import { FIELD_NAME, NAMESPACE } from "../names.ts";
import { mapOf, named, section, whole } from "./values.ts";

export const namespace = section({
  // The kernel's own bound of events in one group (MAX_EVENTS of the 2022 RFC).
  limit: whole(1, 32767).default(32767).describe("Events that the namespace may hold"),
});

export const userEvent = section({
  namespace: named(NAMESPACE).optional()
    .describe("Namespace that the event is in, declared under namespaces; the root without"),
  fields: mapOf(FIELD_NAME, z.string()).default({})
    .describe("Types of the fields, in order: u8 to u64, s8 to s64, char[N], string, bytes"),
  persist: z.boolean().default(false)
    .describe("Whether the event stays when nobody holds it; needs CAP_PERFMON"),
});
