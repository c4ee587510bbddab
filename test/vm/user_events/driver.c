/*
 * Carries out operations on user_events in a guest, and prints what the kernel answered.
 *
 * usage: driver OPERATIONS, a file with one operation a line: the number of a task, the name of
 * the operation, its arguments. Texts and paths are in hex, addresses in any base. Each gets one
 * line of output: result, errno, and data if there are any.
 *
 * Task 0 is there from the start; "fork" and "thread" make others. A controlling process gives
 * each task its operations through a pipe, so that only one runs at a time.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACEFS "/sys/kernel/tracing/"
#define TASKS 16
#define SLOTS 64
/* Descriptors have fixed numbers, so that they can be found after exec. */
#define REQUEST_FD(task) (100 + 2 * (task))
#define RESPONSE_FD 90
#define SLOT_FD(slot) (200 + (slot))

/* Memory at fixed addresses; test/vm/user_events/operations.ts has the same. */
#define WORDS 0x10000000ul     /* two pages: writable, read-only; then nothing */
#define STRUCTURES 0x10010000ul /* four pages, then nothing */
#define NAMES 0x10011000ul

#define DIAG_IOCSREG 0xC0082A00ul
#define DIAG_IOCSDEL 0x40082A01ul
#define DIAG_IOCSUNREG 0x40082A02ul

struct reg_v1 { uint32_t size; uint64_t name; uint32_t status_bit, write_index; } __attribute__((packed));
struct reg_v2 {
	uint32_t size; uint8_t bit, word; uint16_t flags; uint64_t address, name; uint32_t write_index;
} __attribute__((packed));
struct unreg { uint32_t size; uint8_t bit, reserved; uint16_t reserved2; uint64_t address; };

static void *status_map[SLOTS];
static size_t status_length[SLOTS];

static void task_loop(int task);

/* Decodes hex into out, with a NUL after it; the number of bytes. "-" stands for none. */
static size_t unhex(const char *hex, unsigned char *out)
{
	size_t n = 0;

	if (*hex != '-')
		for (; sscanf(hex, "%2hhx", &out[n]) == 1; hex += 2)
			n++;
	out[n] = 0;
	return n;
}

static void answer(long result, const void *data, size_t length)
{
	int error = result == -1 ? errno : 0;
	char *line = malloc(length * 2 + 64), *at = line;

	at += sprintf(at, "%ld %d", result, error);
	if (data) {
		at += sprintf(at, " =");
		for (size_t i = 0; i < length; i++)
			at += sprintf(at, "%02x", ((const unsigned char *)data)[i]);
	}
	*at++ = '\n';
	for (char *from = line; from < at;)
		from += write(RESPONSE_FD, from, at - from);
	free(line);
}

static void tracefs_path(char *path, const char *hex)
{
	strcpy(path, TRACEFS);
	unhex(hex, (unsigned char *)path + strlen(TRACEFS));
}

/* The arguments of one operation. */
static char *word[16];
#define NUMBER(i) strtoul(word[i], NULL, 0)
#define FD(i) SLOT_FD(atoi(word[i]))

/* Puts a descriptor into a slot. */
static long place(int fd, int i)
{
	if (fd < 0)
		return -1;
	dup2(fd, FD(i));
	close(fd);
	return 0;
}

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

static void write_bytes(int vectored)
{
	static unsigned char bytes[65536];
	struct iovec part = { bytes, unhex(word[3], bytes) };

	answer(vectored ? writev(FD(2), &part, 1) : write(FD(2), bytes, part.iov_len), NULL, 0);
}

static void pwrite_bytes(void)
{
	static unsigned char bytes[65536];
	size_t length = unhex(word[4], bytes);

	answer(pwrite(FD(2), bytes, length, NUMBER(3)), NULL, 0);
}

static void peek(void)
{
	static unsigned char bytes[4096];
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

static void slurp(void)
{
	static char bytes[1 << 20];
	char path[4096];
	ssize_t part = -1;
	size_t length = 0;
	int fd;

	tracefs_path(path, word[2]);
	fd = open(path, O_RDONLY);
	if (fd >= 0)
		while ((part = read(fd, bytes + length, sizeof(bytes) - length)) > 0)
			length += part;
	answer(part < 0 ? -1 : 0, bytes, length);
	if (fd >= 0)
		close(fd);
}

static void put(int flags)
{
	static unsigned char bytes[65536];
	size_t length = unhex(word[3], bytes);
	char path[4096];
	long result = 0;
	int fd;

	tracefs_path(path, word[2]);
	fd = open(path, O_WRONLY | flags);
	if (fd < 0)
		result = -1;
	else if (length)
		result = write(fd, bytes, length);
	answer(result, NULL, 0);
	if (fd >= 0)
		close(fd);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(void)
{
	static char *names[4096], text[1 << 20];
	char path[4096], *at = text;
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	tracefs_path(path, word[2]);
	dir = opendir(path);
	if (!dir) {
		answer(-1, NULL, 0);
		return;
	}
	while ((entry = readdir(dir)) && n < 4096)
		if (entry->d_name[0] != '.')
			names[n++] = strdup(entry->d_name);
	closedir(dir);
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++)
		at += sprintf(at, "%s\n", names[i]);
	answer(0, text, at - text);
}

/* How many events all rings of an instance hold. */
static void entries(void)
{
	char path[4096], line[256];
	long total = 0, count;

	for (int cpu = 0; cpu < 8; cpu++) {
		FILE *file;

		sprintf(path, TRACEFS "per_cpu/cpu%d/stats", cpu);
		file = fopen(path, "r");
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "entries: %ld", &count) == 1)
				total += count;
		if (file)
			fclose(file);
	}
	answer(total, NULL, 0);
}

/* How often the kernel has complained that it could not write an enable word. */
static void faults(void)
{
	static char line[8192];
	long count = 0;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	ssize_t length;

	for (;;) {
		length = read(fd, line, sizeof(line) - 1);
		if (length < 0 && errno != EPIPE)
			break;
		line[length < 0 ? 0 : length] = 0;
		count += strstr(line, "user_events: Fault for mm") != NULL;
	}
	close(fd);
	answer(count, NULL, 0);
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

static void *thread_main(void *task)
{
	task_loop((long)task);
	return NULL;
}

/* What the kernel leaves to grace periods and work queues is done when this returns. */
static void settle(void)
{
	for (int i = 0; i < 2; i++) {
		syscall(SYS_membarrier, 1 /* MEMBARRIER_CMD_GLOBAL */, 0, 0);
		usleep(15000);
	}
}

static void run(const char *op)
{
	static unsigned char bytes[65536];
	pthread_t thread;

	if (!strcmp(op, "open")) open_file();
	else if (!strcmp(op, "close")) answer(close(FD(2)), NULL, 0);
	else if (!strcmp(op, "dup")) answer(dup2(FD(2), FD(3)) < 0 ? -1 : 0, NULL, 0);
	else if (!strcmp(op, "reg1")) reg_v1();
	else if (!strcmp(op, "reg")) reg_v2();
	else if (!strcmp(op, "unreg")) unreg();
	else if (!strcmp(op, "del")) answer(ioctl(FD(2), DIAG_IOCSDEL, put_name(word[3])), NULL, 0);
	else if (!strcmp(op, "ioctl")) answer(ioctl(FD(2), NUMBER(3), NUMBER(4)), NULL, 0);
	else if (!strcmp(op, "write")) write_bytes(0);
	else if (!strcmp(op, "writev")) write_bytes(1);
	else if (!strcmp(op, "pwrite")) pwrite_bytes();
	else if (!strcmp(op, "write-at")) answer(write(FD(2), (void *)NUMBER(3), NUMBER(4)), NULL, 0);
	else if (!strcmp(op, "poke")) {
		size_t length = unhex(word[3], bytes);
		memcpy((void *)NUMBER(2), bytes, length);
		answer(0, NULL, 0);
	}
	else if (!strcmp(op, "peek")) peek();
	else if (!strcmp(op, "map")) map_memory();
	else if (!strcmp(op, "unmap")) answer(munmap((void *)NUMBER(2), NUMBER(3)), NULL, 0);
	else if (!strcmp(op, "map-status")) map_status();
	else if (!strcmp(op, "peek-status"))
		answer(0, (char *)status_map[atoi(word[2])] + NUMBER(3), NUMBER(4));
	else if (!strcmp(op, "poke-status")) {
		((char *)status_map[atoi(word[2])])[NUMBER(3)] = NUMBER(4);
		answer(0, NULL, 0);
	}
	else if (!strcmp(op, "unmap-status"))
		answer(munmap(status_map[atoi(word[2])], status_length[atoi(word[2])]), NULL, 0);
	else if (!strcmp(op, "read")) slurp();
	else if (!strcmp(op, "append")) put(O_APPEND);
	else if (!strcmp(op, "truncate")) put(O_TRUNC);
	else if (!strcmp(op, "list")) list();
	else if (!strcmp(op, "entries")) entries();
	else if (!strcmp(op, "faults")) faults();
	else if (!strcmp(op, "perf")) open_perf();
	else if (!strcmp(op, "euid")) answer(syscall(SYS_setresuid, -1, NUMBER(2), -1), NULL, 0);
	else if (!strcmp(op, "thread"))
		answer(pthread_create(&thread, NULL, thread_main, (void *)NUMBER(2)), NULL, 0);
	else if (!strcmp(op, "fork")) {
		long child = atoi(word[2]), pid = fork();

		if (pid == 0) {
			task_loop(child);
			_exit(0);
		}
		answer(pid < 0 ? -1 : 0, NULL, 0);
	}
	else if (!strcmp(op, "vfork")) {
		pid_t pid = vfork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
		answer(0, NULL, 0);
	}
	else if (!strcmp(op, "settle")) {
		settle();
		answer(0, NULL, 0);
	}
	else {
		errno = ENOSYS;
		answer(-1, NULL, 0);
	}
}

static void task_loop(int task)
{
	static char line[1 << 18];
	FILE *in = fdopen(dup(REQUEST_FD(task)), "r");
	int n = 0;

	while (fgets(line, sizeof(line), in)) {
		n = 0;
		for (char *at = strtok(line, " \n"); at && n < 16; at = strtok(NULL, " \n"))
			word[n++] = at;
		if (!strcmp(word[1], "exit")) {
			answer(0, NULL, 0);
			return;
		}
		if (!strcmp(word[1], "exec"))
			execl("/proc/self/exe", "driver", "task", word[0], NULL);
		run(word[1]);
	}
}

static void map_arena(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	mmap((void *)WORDS, 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
	mmap((void *)(WORDS + 4096), 4096, PROT_READ, flags, -1, 0);
	mmap((void *)STRUCTURES, 4 * 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
}

/* Task 0: its first thread may end before the others, so it never returns from main. */
static void first_task(int task, int after_exec)
{
	map_arena();
	if (after_exec)
		answer(0, NULL, 0);
	task_loop(task);
	pthread_exit(NULL);
}

int main(int argc, char **argv)
{
	static char line[1 << 18], response[1 << 22];
	int answers[2];
	FILE *operations, *in;

	if (argc == 3 && !strcmp(argv[1], "task"))
		first_task(atoi(argv[2]), 1);
	operations = fopen(argv[1], "r");
	if (!operations) {
		perror(argv[1]);
		return 1;
	}
	for (int task = 0; task < TASKS; task++) {
		int request[2];

		pipe(request);
		dup2(request[0], REQUEST_FD(task));
		dup2(request[1], REQUEST_FD(task) + 1);
		close(request[0]);
		close(request[1]);
	}
	pipe(answers);
	dup2(answers[1], RESPONSE_FD);
	if (fork() == 0)
		first_task(0, 0);
	in = fdopen(answers[0], "r");
	while (fgets(line, sizeof(line), operations)) {
		write(REQUEST_FD(atoi(line)) + 1, line, strlen(line));
		if (!fgets(response, sizeof(response), in))
			return 1;
		fputs(response, stdout);
	}
	return 0;
}
