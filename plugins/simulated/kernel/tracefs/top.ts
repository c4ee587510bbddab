import { fromByteString } from "../../../../core/filter/bytes.ts";
import { KernelError } from "../../../../core/kernel/error.ts";
import type { SimulatedKernel } from "../simulated_kernel.ts";
import type { Tracing } from "../trace/tracing.ts";
import {
  type DirectoryNode,
  type FileNode,
  fixedDirectory,
  liveDirectory,
  textFile,
} from "../vfs.ts";
import { instanceEntries } from "./instance_directory.ts";
import { userEventEntries } from "./user_event_files.ts";
import { README } from "./readme.ts";

/** The root of tracefs. */
export function tracefsDirectory(kernel: SimulatedKernel): DirectoryNode {
  const { tracing } = kernel;
  return fixedDirectory({
    ...instanceEntries(tracing, tracing.top),
    README: textFile({ mode: 0o444, read: () => README[kernel.version] }),
    available_events: textFile({
      read: () => tracing.registry.all().map(({ system, name }) => `${system}:${name}\n`).join(""),
    }),
    available_filter_functions: textFile({
      read: () =>
        kernel.profile.functions.filter(({ traceable }) => traceable)
          .map(({ name, module }) => module === undefined ? `${name}\n` : `${name} [${module}]\n`)
          .join(""),
    }),
    dynamic_events: definitionFile(tracing, "dynamic_events"),
    instances: instancesDirectory(tracing),
    kprobe_events: definitionFile(tracing, "kprobe_events"),
    kprobe_profile: textFile({ read: () => tracing.profileText("kprobe") }),
    saved_cmdlines: textFile({ read: () => tracing.savedCommands() }),
    synthetic_events: definitionFile(tracing, "synthetic_events"),
    uprobe_events: definitionFile(tracing, "uprobe_events"),
    ...userEventEntries(kernel),
    uprobe_profile: textFile({ read: () => tracing.profileText("uprobe") }),
  }, 0o700);
}

type DefinitionFile = "kprobe_events" | "uprobe_events" | "dynamic_events" | "synthetic_events";

/** A file of definitions: commands in, listing out; `O_TRUNC` deletes everything it lists. */
function definitionFile(tracing: Tracing, name: DefinitionFile): FileNode {
  const listing = textFile({ mode: 0o640, read: () => fromByteString(tracing.dynamic.read(name)) });
  return {
    ...listing,
    open: (process, flags) => {
      tracing.caller = process;
      if (flags.truncate && flags.access !== "read") tracing.dynamic.truncate(name);
      return {
        ...listing.open(process, { access: "read" }),
        write: (data) => {
          tracing.caller = process;
          return tracing.dynamic.write(name, data);
        },
      };
    },
  };
}

function instancesDirectory(tracing: Tracing): DirectoryNode {
  return liveDirectory(
    () => tracing.instances.map(({ name }) => name),
    (name) => {
      const instance = tracing.instance(name);
      return instance && fixedDirectory(instanceEntries(tracing, instance));
    },
    {
      mkdir: (name) => tracing.makeInstance(name),
      rmdir: (name) => {
        const instance = tracing.instance(name);
        if (instance === undefined) throw new KernelError("ENOENT", "rmdir");
        if (instance.users > 0) throw new KernelError("EBUSY", "rmdir");
        tracing.removeInstance(instance);
      },
    },
  );
}
