/**
 * Records what real kernels answer to filters, as vectors for test/core/filter.
 *
 * usage: bun test/vm/trace/filters.ts [--count N] [--seed N] [--check]
 *
 * Writes hand-made and `--count` generated filters to the `filter` files of some
 * events of each kernel, and reads the files and the error log back. With
 * `--check` nothing is written; this tree's answers are compared with the
 * kernels' instead.
 */
