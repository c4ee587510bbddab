/**
 * Names of what a trace owns in the kernel. `metadata.name` is `[a-z][a-z0-9-]*`, without `_`,
 * so the group name tells the trace's name exactly.
 * @module
 */

const GROUP_PREFIX = "sonde_";
const INSTANCE_PREFIX = "sonde-";
const NAME = /^[a-z][a-z0-9-]{0,39}$/;

/** The event group of trace `name`: `edge-baseline` has `sonde_edge_baseline`. */
export function groupOf(name: string): string {
  return GROUP_PREFIX + name.replaceAll("-", "_");
}

/** The tracefs instance of trace `name`: `sonde-edge-baseline`. */
export function instanceOf(name: string): string {
  return INSTANCE_PREFIX + name;
}

/** The trace that owns event group `group`, or undefined if it is not one of ours. */
export function ownerOfGroup(group: string): string | undefined {
  if (!group.startsWith(GROUP_PREFIX)) return undefined;
  return validName(group.slice(GROUP_PREFIX.length).replaceAll("_", "-"));
}

/** The trace that owns tracefs instance `instance`, or undefined if it is not one of ours. */
export function ownerOfInstance(instance: string): string | undefined {
  if (!instance.startsWith(INSTANCE_PREFIX)) return undefined;
  return validName(instance.slice(INSTANCE_PREFIX.length));
}

/** Whether `name` can be the name of a trace: `[a-z][a-z0-9-]{0,39}`, not ending in a dash. */
export function isTraceName(name: string): boolean {
  return NAME.test(name) && !name.endsWith("-");
}

function validName(name: string): string | undefined {
  return isTraceName(name) ? name : undefined;
}
