/**
 * Host profiles: what a running kernel is made of, in one file, so that the simulated kernel can
 * stand for it elsewhere.
 * @module
 */

import { gunzipSync, gzipSync } from "node:zlib";

/** Format of the file; another number is another format. */
const VERSION = 1;

/** What is written in a profile. The texts are the kernel's own files. */
export interface ProfileFile {
  readonly version: typeof VERSION;
  /** As `uname -r` and `uname -m` print them. */
  readonly release: string;
  readonly arch: string;
  /** CPUs that can ever be there. */
  readonly possibleCpus: number;
  /** `/proc/kallsyms`. */
  readonly kallsyms: string;
  /** `available_filter_functions_addrs`, else `available_filter_functions`. */
  readonly traceable: string;
  /** `kprobes/blacklist` of debugfs. */
  readonly blacklist: string;
  /** Addresses of functions that start with ENDBR64 or its stand-in, in hexadecimal; absent if not known. */
  readonly endbr?: readonly string[];
  /** `/sys/kernel/btf/vmlinux` in base64; absent without BTF. */
  readonly btf?: string;
  /** The `format` files of all events, by `system/event`. */
  readonly formats: Readonly<Record<string, string>>;
  /** tracefs' README. */
  readonly readme: string;
  /** Executables, libraries and directories that were there. */
  readonly files: Readonly<Record<string, ListedFile>>;
}

/** A file or directory of the host. */
export interface ListedFile {
  readonly regular: boolean;
  /** Identity of the file, whatever path leads to it. */
  readonly inode: string;
  /** Bytes; absent in profiles that were taken without. */
  readonly size?: number;
}

/** A file that is no profile, or one of another version. */
export class ProfileError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ProfileError";
  }
}

/** A profile as the bytes of its file: compressed JSON. */
export function encodeProfile(profile: Omit<ProfileFile, "version">): Uint8Array {
  return gzipSync(JSON.stringify({ version: VERSION, ...profile }));
}

/** @throws {ProfileError} for bytes that are no profile of this version. */
export function decodeProfile(bytes: Uint8Array): ProfileFile {
  let profile: ProfileFile;
  try {
    profile = JSON.parse(new TextDecoder().decode(gunzipSync(bytes)));
  } catch (error) {
    throw new ProfileError("This is not a host profile", { cause: error });
  }
  if (profile.version !== VERSION) {
    throw new ProfileError(`This profile has version ${profile.version}, expected ${VERSION}`);
  }
  return profile;
}
