/* Operations on user_events: descriptors, ioctls, writes, memory, status pages, perf. */
#define _GNU_SOURCE
#include "driver.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DIAG_IOCSREG 0xC0082A00ul
#define DIAG_IOCSDEL 0x40082A01ul
#define DIAG_IOCSUNREG 0x40082A02ul

struct reg_v1 {
	uint32_t size;
	uint64_t name;
	uint32_t status_bit, write_index;
} __attribute__((packed));

struct reg_v2 {
	uint32_t size;
	uint8_t bit, word;
	uint16_t flags;
	uint64_t address, name;
	uint32_t write_index;
} __attribute__((packed));

struct unreg {
	uint32_t size;
	uint8_t bit, reserved;
	uint16_t reserved2;
	uint64_t address;
};

static unsigned char bytes[65536];
static void *status_map[SLOTS];
static size_t status_length[SLOTS];

static unsigned long put_name(const char *hex)
{
	if (!strcmp(hex, "null"))
		return 0;
	if (*hex == '@')
		return strtoul(hex + 1, NULL, 0);
	unhex(hex, (unsigned char *)NAMES);
	return NAMES;
}

static void open_file(void)
{
	static const char *const names[] = { "r", "w", "rw" };
	char path[4096];
	int access = 0;

	tracefs_path(path, word[3]);
	while (strcmp(names[access], word[4]))
		access++;
	answer(place(open(path, access), 2), NULL, 0);
}

static void close_slot(void)
{
	answer(close(FD(2)), NULL, 0);
}

static void dup_slot(void)
{
	answer(dup2(FD(2), FD(3)) < 0 ? -1 : 0, NULL, 0);
}

static void reg_v1(void)
{
	struct reg_v1 *reg = (void *)STRUCTURES;
	uint32_t out[2];
	long result;

	memset(reg, 0, 4096);
	reg->size = NUMBER(3);
	reg->status_bit = reg->write_index = UINT32_MAX;
	reg->name = put_name(word[4]);
	unhex(word[5], (unsigned char *)(reg + 1));
	result = ioctl(FD(2), DIAG_IOCSREG, reg);
	out[0] = reg->write_index;
	out[1] = reg->status_bit;
	answer(result, out, sizeof(out));
}

static void reg_v2(void)
{
	struct reg_v2 *reg = (void *)STRUCTURES;
	uint32_t out;
	long result;

	memset(reg, 0, 4096);
	reg->size = NUMBER(3);
	reg->bit = NUMBER(4);
	reg->word = NUMBER(5);
	reg->flags = NUMBER(6);
	reg->address = NUMBER(7);
	reg->write_index = UINT32_MAX;
	reg->name = put_name(word[8]);
	unhex(word[9], (unsigned char *)(reg + 1));
	result = ioctl(FD(2), DIAG_IOCSREG, reg);
	out = reg->write_index;
	answer(result, &out, sizeof(out));
}

static void unreg(void)
{
	struct unreg *reg = (void *)STRUCTURES;

	memset(reg, 0, 4096);
	reg->size = NUMBER(3);
	reg->bit = NUMBER(4);
	reg->reserved = NUMBER(5);
	reg->reserved2 = NUMBER(6);
	reg->address = NUMBER(7);
	unhex(word[8], (unsigned char *)(reg + 1));
	answer(ioctl(FD(2), DIAG_IOCSUNREG, reg), NULL, 0);
}

static void del(void)
{
	answer(ioctl(FD(2), DIAG_IOCSDEL, put_name(word[3])), NULL, 0);
}

static void raw_ioctl(void)
{
	answer(ioctl(FD(2), NUMBER(3), NUMBER(4)), NULL, 0);
}

static void write_bytes(void)
{
	size_t length = unhex(word[3], bytes);

	answer(write(FD(2), bytes, length), NULL, 0);
}

static void writev_bytes(void)
{
	struct iovec part = { bytes, unhex(word[3], bytes) };

	answer(writev(FD(2), &part, 1), NULL, 0);
}

static void pwrite_bytes(void)
{
	size_t length = unhex(word[4], bytes);

	answer(pwrite(FD(2), bytes, length, NUMBER(3)), NULL, 0);
}

static void write_at(void)
{
	answer(write(FD(2), (void *)NUMBER(3), NUMBER(4)), NULL, 0);
}

static void poke(void)
{
	memcpy((void *)NUMBER(2), bytes, unhex(word[3], bytes));
	answer(0, NULL, 0);
}

static void peek(void)
{
	struct iovec local = { bytes, NUMBER(3) }, remote = { (void *)NUMBER(2), NUMBER(3) };
	long result = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

	answer(result, bytes, result < 0 ? 0 : result);
}

static int protection(const char *letters)
{
	return (strchr(letters, 'r') ? PROT_READ : 0) | (strchr(letters, 'w') ? PROT_WRITE : 0);
}

static void map_memory(void)
{
	void *at = mmap((void *)NUMBER(2), NUMBER(3), protection(word[4]),
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	answer(at == MAP_FAILED ? -1 : 0, NULL, 0);
}

static void unmap_memory(void)
{
	answer(munmap((void *)NUMBER(2), NUMBER(3)), NULL, 0);
}

static void map_status(void)
{
	int slot = atoi(word[2]);
	void *at = mmap(NULL, NUMBER(3), protection(word[4]),
			strcmp(word[5], "shared") ? MAP_PRIVATE : MAP_SHARED, FD(2), NUMBER(6));

	if (at != MAP_FAILED) {
		status_map[slot] = at;
		status_length[slot] = NUMBER(3);
	}
	answer(at == MAP_FAILED ? -1 : 0, NULL, 0);
}

static void peek_status(void)
{
	answer(0, (char *)status_map[NUMBER(2)] + NUMBER(3), NUMBER(4));
}

static void poke_status(void)
{
	((char *)status_map[NUMBER(2)])[NUMBER(3)] = NUMBER(4);
	answer(0, NULL, 0);
}

static void unmap_status(void)
{
	answer(munmap(status_map[NUMBER(2)], status_length[NUMBER(2)]), NULL, 0);
}

static void open_perf(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr) };
	char path[4096], text[32] = "";
	int fd;

	tracefs_path(path, word[3]);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0) {
		answer(-1, NULL, 0);
		return;
	}
	close(fd);
	attr.config = strtoul(text, NULL, 10);
	answer(place(syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0), 2), NULL, 0);
}

const struct operation event_operations[] = {
	{ "open", open_file },
	{ "close", close_slot },
	{ "dup", dup_slot },
	{ "reg1", reg_v1 },
	{ "reg", reg_v2 },
	{ "unreg", unreg },
	{ "del", del },
	{ "ioctl", raw_ioctl },
	{ "write", write_bytes },
	{ "writev", writev_bytes },
	{ "pwrite", pwrite_bytes },
	{ "write-at", write_at },
	{ "poke", poke },
	{ "peek", peek },
	{ "map", map_memory },
	{ "unmap", unmap_memory },
	{ "map-status", map_status },
	{ "peek-status", peek_status },
	{ "poke-status", poke_status },
	{ "unmap-status", unmap_status },
	{ "perf", open_perf },
	{ NULL, NULL },
};
