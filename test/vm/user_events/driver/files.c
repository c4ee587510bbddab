/* Operations on the files of tracefs, and waiting. */
#define _GNU_SOURCE
#include "driver.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

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

static void append(void)
{
	put(O_APPEND);
}

static void truncate_file(void)
{
	put(O_TRUNC);
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

/* The status file, or as much of it as fits. */
static void read_status(char *text, size_t size)
{
	int fd = open(TRACEFS "user_events_status", O_RDONLY);
	ssize_t part;

	memset(text, 0, size);
	while (size > 1 && (part = read(fd, text, size - 1)) > 0) {
		text += part;
		size -= part;
	}
	close(fd);
}

/* What the kernel leaves to grace periods and work queues is done after this. */
static void settle(void)
{
	static char status[2][1 << 16];
	int same = 0;

	for (int i = 0; same < 3; i ^= 1) {
		syscall(SYS_membarrier, 1 /* MEMBARRIER_CMD_GLOBAL */, 0, 0);
		usleep(15000);
		read_status(status[i], sizeof(status[i]));
		same = memcmp(status[0], status[1], sizeof(status[0])) ? 0 : same + 1;
	}
	answer(0, NULL, 0);
}

const struct operation file_operations[] = {
	{ "read", slurp },
	{ "append", append },
	{ "truncate", truncate_file },
	{ "list", list },
	{ "entries", entries },
	{ "faults", faults },
	{ "settle", settle },
	{ NULL, NULL },
};
