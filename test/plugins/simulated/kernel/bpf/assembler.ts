/**
 * Instructions of eBPF by name.
 * @module
 */

/** Registers. */
export const [R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10] = Array(11).keys();

/** One or two instructions of 8 bytes. */
export type Code = readonly bigint[];

/** An instruction from its parts. */
export function insn(opcode: number, dst = 0, src = 0, offset = 0, imm = 0): bigint {
  return BigInt(opcode) | BigInt(dst | src << 4) << 8n | BigInt.asUintN(16, BigInt(offset)) << 16n |
    BigInt.asUintN(32, BigInt(imm)) << 32n;
}

export const mov = (dst: number, imm: number): Code => [insn(0xb7, dst, 0, 0, imm)];
export const movReg = (dst: number, src: number): Code => [insn(0xbf, dst, src)];
export const add = (dst: number, imm: number): Code => [insn(0x07, dst, 0, 0, imm)];
export const subReg = (dst: number, src: number): Code => [insn(0x1f, dst, src)];
export const call = (helper: number): Code => [insn(0x85, 0, 0, 0, helper)];
export const exit = (): Code => [insn(0x95)];
export const jump = (offset: number): Code => [insn(0x05, 0, 0, offset)];
export const jeq = (dst: number, imm: number, offset: number): Code => [
  insn(0x15, dst, 0, offset, imm),
];
/** Loads and stores of 8 bytes, and a store of 4. */
export const load = (dst: number, src: number, offset: number): Code => [
  insn(0x79, dst, src, offset),
];
export const store = (dst: number, offset: number, src: number): Code => [
  insn(0x7b, dst, src, offset),
];
export const store32 = (dst: number, offset: number, src: number): Code => [
  insn(0x63, dst, src, offset),
];
export const atomicAdd = (dst: number, offset: number, src: number): Code => [
  insn(0xdb, dst, src, offset, 0),
];
/** The address of a map by its descriptor. */
export const loadMap = (dst: number, fd: number): Code => [insn(0x18, dst, 1, 0, fd), 0n];
export const load64 = (dst: number, value: bigint): Code => [
  insn(0x18, dst, 0, 0, Number(BigInt.asIntN(32, value))),
  insn(0, 0, 0, 0, Number(BigInt.asIntN(32, value >> 32n))),
];

/** The bytes of a program. */
export function assemble(...code: Code[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(code.flat()).buffer);
}

/** `return value;` */
export const returning = (value: number) => assemble(mov(R0, value), exit());

/** Counts into the value of an array that the cookie is the index of (`u64` values). */
export const countByCookie = (array: number) =>
  assemble(
    call(174),
    store32(R10, -4, R0),
    loadMap(R1, array),
    movReg(R2, R10),
    add(R2, -4),
    call(1),
    jeq(R0, 0, 3),
    load(R1, R0, 0),
    add(R1, 1),
    store(R0, 0, R1),
    mov(R0, 0),
    exit(),
  );

/** Notes the time at which a thread comes by. */
export const noteEntry = (hash: number) =>
  assemble(
    call(14),
    store(R10, -8, R0),
    call(5),
    store(R10, -16, R0),
    loadMap(R1, hash),
    movReg(R2, R10),
    add(R2, -8),
    movReg(R3, R10),
    add(R3, -16),
    mov(R4, 0),
    call(2),
    mov(R0, 0),
    exit(),
  );

/** Halves of the log2 of r7, in r8: 32 or more, 16 or more, and so on. */
const log2 = [32, 16, 8, 4, 2, 1].flatMap((bits) => [
  movReg(R1, R7),
  [insn(0x77, R1, 0, 0, bits)],
  jeq(R1, 0, 2),
  movReg(R7, R1),
  add(R8, bits),
]);

/** Counts how long it took from {@link noteEntry}, by the log2 of nanoseconds. */
export const countLatency = (hash: number, histogram: number) => {
  const tail: Code[] = [
    mov(R8, 0),
    ...log2,
    store32(R10, -12, R8),
    loadMap(R1, histogram),
    movReg(R2, R10),
    add(R2, -12),
    call(1),
    jeq(R0, 0, 2),
    mov(R1, 1),
    atomicAdd(R0, 0, R1),
  ];
  const measured: Code[] = [
    load(R6, R0, 0),
    call(5),
    subReg(R0, R6),
    movReg(R7, R0),
    loadMap(R1, hash),
    movReg(R2, R10),
    add(R2, -8),
    call(3),
    ...tail,
  ];
  return assemble(
    call(14),
    store(R10, -8, R0),
    loadMap(R1, hash),
    movReg(R2, R10),
    add(R2, -8),
    call(1),
    jeq(R0, 0, measured.flat().length),
    ...measured,
    mov(R0, 0),
    exit(),
  );
};

/** Puts pid_tgid and the first two arguments of a function (x86-64) into a ring buffer map. */
export const putArguments = (ring: number) =>
  assemble(
    movReg(R6, R1),
    call(14),
    store(R10, -24, R0),
    load(R1, R6, 112),
    store(R10, -16, R1),
    load(R1, R6, 104),
    store(R10, -8, R1),
    loadMap(R1, ring),
    movReg(R2, R10),
    add(R2, -24),
    mov(R3, 24),
    mov(R4, 0),
    call(130),
    mov(R0, 0),
    exit(),
  );

/** Copies the string that the second argument points to (x86-64), and its length, to an array. */
export const copyName = (array: number) =>
  assemble(
    load(R6, R1, 104),
    mov(R1, 0),
    store32(R10, -4, R1),
    loadMap(R1, array),
    movReg(R2, R10),
    add(R2, -4),
    call(1),
    jeq(R0, 0, 8),
    movReg(R7, R0),
    movReg(R1, R0),
    add(R1, 8),
    mov(R2, 32),
    movReg(R3, R6),
    call(114),
    store(R7, 0, R0),
    jump(0),
    mov(R0, 1),
    exit(),
  );
