import type { TraceInstance } from "../trace/instance.ts";
import type { Node } from "../vfs.ts";

/** A file, or the files in a directory, that keep their instance from going while they are open. */
export function held(instance: TraceInstance, node: Node): Node {
  switch (node.kind) {
    case "link":
      return node;
    case "directory":
      return {
        ...node,
        lookup: (name) => {
          const found = node.lookup(name);
          return found && held(instance, found);
        },
      };
    case "file":
      return {
        ...node,
        open: (process, flags) => {
          const file = node.open(process, flags);
          instance.users++;
          return {
            ...file,
            close: () => {
              instance.users--;
              file.close?.();
            },
          };
        },
      };
  }
}
