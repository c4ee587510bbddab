/**
 * What tracers look for in tracefs' README: the lines that tell which facilities a kernel was
 * built with (kernel/trace/trace.c, `readme_msg`). The prose around them is left out.
 */
const COMMON = `tracing mini-HOWTO:

  kprobe_events\t\t- Create/append/remove/show the kernel dynamic events
\t\t\t  Write into this file to define/undefine new trace events.
  uprobe_events\t\t- Create/append/remove/show the userspace dynamic events
\t\t\t  Write into this file to define/undefine new trace events.
\t  accepts: event-definitions (one definition per line)
\t   Format: p[:[<group>/][<event>]] <place> [<args>]
\t           r[maxactive][:[<group>/][<event>]] <place> [<args>]
`;

const FPROBES = `\t           f[:[<group>/][<event>]] <func-name>[%return] [<args>]
\t           t[:[<group>/][<event>]] <tracepoint> [<args>]
`;

const REST =
  `\t           e[:[<group>/][<event>]] <attached-group>.<attached-event> [<args>] [if <filter>]
\t           -:[<group>/][<event>]
\t    place: [<module>:]<symbol>[+<offset>]|<memaddr>
place (kretprobe): [<module>:]<symbol>[+<offset>]%return|<memaddr>
   place (uprobe): <path>:<offset>[%return][(ref_ctr_offset)]
\t     args: <name>=fetcharg[:type]
      hist trigger\t- If set, event hits are aggregated into a hash table
\t    Format: hist:keys=<field1[,field2,...]>
`;

/** The README of each kernel. */
export const README = {
  "6.1": COMMON + REST,
  "6.12": COMMON + FPROBES + REST,
} as const;
