import type { PluginFactory } from "../core/plugin/plugin.ts";
import mmap from "./mmap/mod.ts";
import simulated from "./simulated/mod.ts";
import jsonl from "./sinks/jsonl.ts";
import text from "./sinks/text.ts";
import tracefs from "./tracefs/mod.ts";

/** The plugins that belong to sonde. They are registered the way outside ones are. */
export const BUILTIN_PLUGINS: readonly PluginFactory[] = [tracefs, mmap, simulated, text, jsonl];
