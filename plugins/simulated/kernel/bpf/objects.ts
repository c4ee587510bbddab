import type { SimulatedKernel } from "../simulated_kernel.ts";
import type { BpfMap } from "./map.ts";
import type { MultiLink } from "./kprobe_multi.ts";
import { Program, type ProgramSpec } from "./program.ts";

/** All that bpf(2) has made. */
export class BpfObjects {
  readonly kernel: SimulatedKernel;
  readonly #maps: BpfMap[] = [];
  readonly #multiLinks = new Set<MultiLink>();
  #programs = 0;
  #links = 0;

  constructor(kernel: SimulatedKernel) {
    this.kernel = kernel;
  }

  addMap(make: (id: number) => BpfMap): BpfMap {
    const map = make(this.#maps.length + 1);
    this.#maps.push(map);
    return map;
  }

  map(id: number): BpfMap | undefined {
    return this.#maps[id - 1];
  }

  addProgram(spec: ProgramSpec): Program {
    return new Program(++this.#programs, spec, this);
  }

  newLinkId(): number {
    return ++this.#links;
  }

  /** Links that have many functions. */
  get multiLinks(): Set<MultiLink> {
    return this.#multiLinks;
  }
}
