/**
 * Fetch arguments that a 6.12 kernel (x86-64, with BTF) took or refused for a kprobe on
 * `vfs_read(file, buf, count, pos)`, as answers to writes to `kprobe_events`.
 */

export const TAKEN: readonly string[] = [
  ..."%di %ax %ip %flags %orig_ax %ss %r15 %sp %bp %cs $arg1 $arg2 $arg1:u8".split(" "),
  ..."$stack $stack0 $stack2048 $comm $COMM $comm:string \\1 \\-1 \\+1 \\0x10".split(" "),
  ...'\\"abc" \\"abc":string \\1:u8 \\1:string'.split(" "),
  ..."@linux_banner @linux_banner+4 @linux_banner-4:u8 @linux_banner:string".split(" "),
  ..."@0xffffffff81000000 +0(%di) -0(%di) +8(%di):u32 -8(%di):u32 +u8(%di):u32".split(" "),
  ..."-u8(%di):ustring +0x10(%di) +0(+0(+0(+0(%di)))) +0(@linux_banner) +0($stack)".split(" "),
  ..."+0(\\1) %di:u8 %di:u16 %di:u32 %di:u64 %di:s8 %di:s16 %di:s32 %di:s64".split(" "),
  ..."%di:x8 %di:x16 %di:x32 %di:x64 %di:char %di:symbol %di:symstr".split(" "),
  ..."+0(%di):u8[4] +0(%di):u8[64] +0(%di):u8[0x4] +0(%di):string[4]".split(" "),
  ..."+0(%di):ustring[4] +0(%di):symbol[4] +0(%di):symstr +0(%di):char[8]".split(" "),
  ..."@linux_banner:symstr $stack0:symstr %di:b4@4/32 %di:b32@0/32 %di:b1@31/32".split(" "),
  ..."%di:b4@4/64 %di:b4@4/8 %di:b0x4@0x4/0x20 +0(%di):b4@4/32[2] +0(%di):b4@4/8[2]".split(" "),
  ..."%di:%pd $arg1:%pd $arg1:%pD file file->f_pos file->f_inode->i_ino".split(" "),
  ..."file->f_path.dentry->d_name.name:string file->f_pos:u8 buf:string".split(" "),
  ..."buf:ustring +0(buf):string file->f_mode:b1@0/32".split(" "),
  "+0(+0(+0(+0(+0(+0(+0(+0(+0(+0(+0(+0(+0(%di)))))))))))))",
  `@${"x".repeat(62)}`,
];

export const REFUSED: readonly string[] = [
  ..."%rdi %edi %gs %eip $arg0 $arg $argx $arg1x $arg1->f_pos".split(" "),
  ..."$stack2049 $stackx $stack-1 $comm:u8 $comm:string[1] $retval $retvalx $foo $ %".split(" "),
  ...'@ + - \\ \\x \\"abc \\"abc":u8 \\999999999999999999999'.split(" "),
  ..."@linux_banner*1 @123abc @+1 @-1 +0x(%di) +(%di) +8%di +8(%di +8(%di)) +8()".split(" "),
  ...'+0(\\"x") +0($comm) %di:string %di:ustring %di:foo %di: %di:: %di:u8[4]'.split(" "),
  ..."+0(%di):u8[65] +0(%di):u8[0] +0(%di):u8[ +0(%di):u8[] +0(%di):u8[4]x".split(" "),
  ..."+0(%di):symstr[4] \\1:symstr $comm:symstr $stack:symstr %di:b33@0/32".split(" "),
  ..."%di:b1@32/32 %di:b0@0/32 %di:b4@4/7 %di:b4@4 %di:b4/32 %di:b4@/32 $arg1:%px".split(" "),
  ..."file.f_pos file-> file- file-x ->x b=%di".split(" "),
  `@${"x".repeat(63)}`,
];

/** Arguments that a kretprobe on the same function has. */
export const TAKEN_AT_RETURN: readonly string[] = [
  ..."$retval $retval:s32 $arg1 file file->f_pos +0($retval):string $stack %ax $comm".split(" "),
  ..."$retval->i_ino $retval->i_sb->s_magic:x64 +0($retval)".split(" "),
];

/** Written to `kprobe_events`, and what the file then listed (two CPUs). */
export const LISTED: readonly (readonly [written: string, listed: string])[] = [
  ["p:fa vfs_read %di", "p:kprobes/fa vfs_read arg1=%di"],
  ["p:fa vfs_read x=$arg1:u8", "p:kprobes/fa vfs_read x=$arg1:u8"],
  ["p:fa vfs_read %di %si %dx", "p:kprobes/fa vfs_read arg1=%di arg2=%si arg3=%dx"],
  ["p:fa vfs_read buf:string", "p:kprobes/fa vfs_read buf=buf:string"],
  ["p:fa vfs_read %di:%pd", "p:kprobes/fa vfs_read arg1=+0x0(+0x28(%di)):string"],
  ["p:fa vfs_read n=$arg1:%pD", "p:kprobes/fa vfs_read n=+0x0(+0x28(+0x48($arg1))):string"],
  ["p:fa vfs_read ", "p:kprobes/fa vfs_read"],
  ["r:fr vfs_read $retval:s32", "r10:kprobes/fr vfs_read arg1=$retval:s32"],
  ["\tp:tab\tvfs_read\t%di\n", "p:kprobes/tab vfs_read arg1=%di"],
  ["p:crlf vfs_read\r\n", "p:kprobes/crlf vfs_read"],
  ["p:g1/ vfs_read", "p:g1/p_vfs_read_0 vfs_read"],
];
