import type { Backend, Capture, TraceRequest } from "../backend.ts";
import { CommResolver } from "../pipeline/comm.ts";
import { OutputClosedError } from "../pipeline/output.ts";
import { Pipeline, type PipelineCounts } from "../pipeline/pipeline.ts";
import type { Sink } from "../pipeline/sink.ts";
import { type ExecuteOptions, type Leftover, RolledBackError } from "../plan/execute.ts";
import { type Installation, installTrace } from "./install.ts";

/** How long the readers sleep when there was nothing: from the first time to the last, in ms. */
const IDLE_FIRST = 2;
const IDLE_LAST = 50;

/** How often events are looked for that programs register late, in nanoseconds. */
const DISCOVERY_PERIOD = 50_000_000n;

/** Options of {@link runTrace}. */
export interface RunOptions extends ExecuteOptions {
  /** Ends the run; the buffers are read to the end and everything is removed. */
  readonly signal?: AbortSignal;
  /** Ends the run after so many nanoseconds of the kernel's monotonic clock. */
  readonly duration?: bigint;
  /** Ends the run after so many events. */
  readonly events?: number;
  /** Told when everything is installed and events can come. */
  readonly started?: (installation: Installation, capture: Capture) => void;
}

/** How a run went. */
export interface RunSummary extends Readonly<PipelineCounts> {
  /** What could not be removed. */
  readonly leftovers: readonly Leftover[];
  /** Whether a reader closed its end. */
  readonly outputClosed: boolean;
}

/**
 * Installs a trace, streams its records to `sinks` until it is told to stop, and removes it.
 * Sinks are closed in any case.
 *
 * @throws {BusyError} @throws {AppliedError} @throws {RolledBackError} as installing does.
 * @throws {OutputError} if a sink cannot write; everything is removed all the same, and what could
 * not be is in a {@link RolledBackError} around it.
 */
export async function runTrace(
  backend: Backend,
  request: TraceRequest,
  sinks: readonly Sink[],
  options: RunOptions = {},
): Promise<RunSummary> {
  let installation: Installation;
  try {
    installation = await installTrace(backend, request, options);
  } catch (error) {
    await closeQuietly(sinks);
    throw error;
  }
  let streamed: Streamed;
  try {
    streamed = await stream(backend, request, sinks, installation, options);
  } catch (error) {
    await closeQuietly(sinks);
    const leftovers = await installation.uninstall();
    throw leftovers.length === 0 ? error : new RolledBackError(error, leftovers);
  }
  return { ...streamed, leftovers: await installation.uninstall() };
}

type Streamed = Omit<RunSummary, "leftovers">;

async function stream(
  backend: Backend,
  request: TraceRequest,
  sinks: readonly Sink[],
  installation: Installation,
  options: RunOptions,
): Promise<Streamed> {
  const capture = await backend.capture(request);
  let pipeline: Pipeline;
  let outputClosed = false;
  try {
    const comm = new CommResolver(backend.kernel, capture.savedCommands);
    pipeline = new Pipeline(capture, sinks, {
      commOf: comm.commOf,
      limit: options.events,
      // tracefs' clock "mono" is CLOCK_MONOTONIC (Documentation/trace/ftrace.rst).
      ...(capture.clock === "mono" && { now: () => backend.kernel.now("monotonic") }),
    });
    options.started?.(installation, capture);
    try {
      await readUntilDone(backend, capture, pipeline, options);
      const quiet = await installation.disable();
      // Where events go on, what is there now is all that belongs to this run.
      for (let more = true; more && !pipeline.full;) more = await pipeline.drain() > 0 && quiet;
      await pipeline.settle();
      for (const sink of sinks) await sink.close();
    } catch (error) {
      if (!(error instanceof OutputClosedError)) throw error;
      outputClosed = true;
      await closeQuietly(sinks);
    }
  } finally {
    capture.close();
  }
  return { ...pipeline.counts, outputClosed };
}

async function readUntilDone(
  backend: Backend,
  capture: Capture,
  pipeline: Pipeline,
  options: RunOptions,
): Promise<void> {
  const { kernel } = backend;
  const end = options.duration === undefined
    ? undefined
    : kernel.now("monotonic") + options.duration;
  let idle = IDLE_FIRST;
  let looked = kernel.now("monotonic");
  while (!options.signal?.aborted && !pipeline.full) {
    if (kernel.now("monotonic") - looked >= DISCOVERY_PERIOD) {
      pipeline.discover();
      looked = kernel.now("monotonic");
    }
    if (await pipeline.drain() > 0) {
      idle = IDLE_FIRST;
      // Without a wait no signal would be heard under full load.
      await new Promise<void>((resolve) => setImmediate(resolve));
    } else {
      if (capture.finished) return;
      const left = end === undefined ? idle : Number(end - kernel.now("monotonic")) / 1e6;
      await capture.wait(Math.min(idle, Math.max(0, left)));
      idle = Math.min(2 * idle, IDLE_LAST);
    }
    if (end !== undefined && kernel.now("monotonic") >= end) return;
  }
}

/** Closes sinks after a failure that is reported already. */
async function closeQuietly(sinks: readonly Sink[]): Promise<void> {
  for (const sink of sinks) {
    try {
      await sink.close();
    } catch {
      // The first failure is the one that is told.
    }
  }
}
