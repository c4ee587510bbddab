/*
 * Carries out operations on tracefs in a guest, and prints what the kernel answered.
 *
 * usage: driver OPERATIONS, a file with one operation a line. Paths are relative to tracefs,
 * bytes are in hex ("-" for none). Each operation gets one line of output: errno, and bytes.
 *
 *   write PATH plain|append|trunc BYTES   one write(2)
 *   read PATH                             to the end
 *   mkdir PATH, rmdir PATH
 *   register BYTES                        a user_event by its definition; its write index
 *   event INDEX BYTES                     writes a user_event
 *   comm BYTES                            names this thread
 *   cpu NUMBER                            moves this thread
 *   pid                                   the number of this thread
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define TRACEFS "/sys/kernel/tracing/"
#define DIAG_IOCSREG 0xC0082A00ul

struct reg_v1 { uint32_t size; uint64_t name; uint32_t status, index; } __attribute__((packed));
struct reg_v2 {
	uint32_t size; uint8_t bit, word; uint16_t flags; uint64_t address, name; uint32_t index;
} __attribute__((packed));

static char line[1 << 17], buffer[1 << 20];
static unsigned char bytes[1 << 16];
static uint32_t enabled[1024];
static int user_events = -1;

static size_t unhex(const char *hex)
{
	size_t n = 0;
	unsigned int byte;

	for (; hex && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		bytes[n++] = byte;
	bytes[n] = 0;
	return n;
}

static void answer(long result, const char *data, size_t length)
{
	printf("%d ", result < 0 ? errno : 0);
	for (size_t i = 0; i < length; i++)
		printf("%02x", (unsigned char)data[i]);
	putchar('\n');
}

static void write_file(const char *path, const char *how, const char *hex)
{
	int flags = !strcmp(how, "append") ? O_APPEND : !strcmp(how, "trunc") ? O_TRUNC : 0;
	int fd = open(path, O_WRONLY | flags);
	long result = fd < 0 ? -1 : write(fd, bytes, unhex(hex));
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	answer(result, NULL, 0);
}

static void read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	ssize_t count = fd < 0 ? -1 : 0;
	size_t length = 0;

	while (fd >= 0 && length < sizeof(buffer) &&
	       (count = read(fd, buffer + length, sizeof(buffer) - length)) > 0)
		length += count;
	if (fd >= 0)
		close(fd);
	answer(length ? 0 : count, buffer, length);
}

/* Tries the structure of 6.4 and later first; 6.1 finds no name where it looks for one. */
static void register_event(const char *hex)
{
	static int count;
	struct reg_v2 v2 = { .size = sizeof(v2), .word = sizeof(uint32_t) };
	struct reg_v1 v1 = { .size = sizeof(v1) };
	char index[16];
	long result;

	if (user_events < 0)
		user_events = open(TRACEFS "user_events_data", O_RDWR);
	unhex(hex);
	v1.name = v2.name = (uintptr_t)bytes;
	v2.address = (uintptr_t)&enabled[count++];
	result = ioctl(user_events, DIAG_IOCSREG, &v2);
	if (result < 0) {
		result = ioctl(user_events, DIAG_IOCSREG, &v1);
		v2.index = v1.index;
	}
	sprintf(index, "%u", v2.index);
	answer(result, index, strlen(index));
}

static void write_event(uint32_t index, const char *hex)
{
	struct iovec parts[] = { { &index, sizeof(index) }, { bytes, unhex(hex) } };

	answer(writev(user_events, parts, 2), NULL, 0);
}

static void move(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	answer(sched_setaffinity(0, sizeof(set), &set), NULL, 0);
}

static void tell_pid(void)
{
	char pid[16];

	sprintf(pid, "%d", getpid());
	answer(0, pid, strlen(pid));
}

int main(int argc, char **argv)
{
	FILE *operations = argc == 2 ? fopen(argv[1], "r") : NULL;

	if (!operations || chdir(TRACEFS)) {
		fprintf(stderr, "usage: driver OPERATIONS\n");
		return 2;
	}
	while (fgets(line, sizeof(line), operations)) {
		char *op = strtok(line, " \n"), *first = strtok(NULL, " \n");
		char *second = strtok(NULL, " \n"), *third = strtok(NULL, " \n");

		if (!strcmp(op, "write")) write_file(first, second, third);
		else if (!strcmp(op, "read")) read_file(first);
		else if (!strcmp(op, "mkdir")) answer(mkdir(first, 0755), NULL, 0);
		else if (!strcmp(op, "rmdir")) answer(rmdir(first), NULL, 0);
		else if (!strcmp(op, "register")) register_event(first);
		else if (!strcmp(op, "event")) write_event(atoi(first), second);
		else if (!strcmp(op, "comm")) unhex(first), answer(prctl(PR_SET_NAME, bytes), NULL, 0);
		else if (!strcmp(op, "cpu")) move(atoi(first));
		else if (!strcmp(op, "pid")) tell_pid();
		else return 2;
	}
	return 0;
}
