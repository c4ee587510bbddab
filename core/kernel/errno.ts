/**
 * Linux error numbers by name. They are the same on x86-64 and arm64.
 *
 * Source: include/uapi/asm-generic/errno-base.h and errno.h; `ENOTSUPP` is
 * kernel-internal (include/linux/errno.h) but reaches user space from uprobes.
 * @module
 */

export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  EDOM: 33,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EOVERFLOW: 75,
  EBADFD: 77,
  EILSEQ: 84,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ETIMEDOUT: 110,
  EALREADY: 114,
  ECANCELED: 125,
  ENOTSUPP: 524,
} as const;

/** The symbolic name of a Linux error number, such as `"ENOENT"`. */
export type ErrnoCode = keyof typeof ERRNO;

const names = new Map<number, ErrnoCode>(
  Object.entries(ERRNO).map(([name, value]) => [value, name as ErrnoCode]),
);

/** The name of error number `errno` (positive), or `"E<number>"` for one that is not listed. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `E${errno}`;
}
