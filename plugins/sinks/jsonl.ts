import { JsonLines } from "../../core/event/json.ts";
import type { PluginFactory } from "../../core/plugin/plugin.ts";

/** One JSON object a line, for programs; integers are exact. */
const jsonlPlugin: PluginFactory = () => ({
  kind: "sink",
  name: "jsonl",
  description: "JSON Lines for programs; integers are exact",
  create: ({ output }) => {
    const lines = new JsonLines(output.buffer);
    return {
      write: (batch, from, to) => {
        for (let i = from; i < to; i++) lines.addRecord(batch, i);
      },
      lost: (loss) => lines.addLost(loss),
      flush: () => output.flush(),
      close: () => output.close(),
    };
  },
});
export default jsonlPlugin;
