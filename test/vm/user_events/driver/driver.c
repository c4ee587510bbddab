/*
 * Carries out operations on user_events in a guest, and prints what the kernel answered.
 *
 * usage: driver OPERATIONS, a file with one operation a line: the number of a task, the name of
 * the operation, its arguments. Texts and paths are in hex, addresses in any base. Each gets one
 * line of output: result, errno, and data if there are any.
 *
 * The last task is there from the start; "fork" and "thread" make others. A controlling process
 * gives each task its operations through a pipe, so that only one runs at a time.
 */
#define _GNU_SOURCE
#include "driver.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

char *word[16];

static void task_loop(int task);

size_t unhex(const char *hex, unsigned char *out)
{
	size_t n = 0;

	if (*hex != '-')
		for (; sscanf(hex, "%2hhx", &out[n]) == 1; hex += 2)
			n++;
	out[n] = 0;
	return n;
}

void answer(long result, const void *data, size_t length)
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

void tracefs_path(char *path, const char *hex)
{
	strcpy(path, TRACEFS);
	unhex(hex, (unsigned char *)path + strlen(TRACEFS));
}

long place(int fd, int i)
{
	if (fd < 0)
		return -1;
	dup2(fd, FD(i));
	close(fd);
	return 0;
}

static void set_euid(void)
{
	/* The system call is this thread's alone. */
	answer(syscall(SYS_setresuid, -1, NUMBER(2), -1), NULL, 0);
}

static void *thread_main(void *task)
{
	task_loop((long)task);
	return NULL;
}

static void start_thread(void)
{
	pthread_t thread;

	answer(pthread_create(&thread, NULL, thread_main, (void *)NUMBER(2)) ? -1 : 0, NULL, 0);
}

static void start_process(void)
{
	long child = atoi(word[2]), pid = fork();

	if (pid == 0) {
		task_loop(child);
		_exit(0);
	}
	answer(pid < 0 ? -1 : 0, NULL, 0);
}

static void start_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	answer(0, NULL, 0);
}

/* Answers after exec, in first_task(). */
static void exec(void)
{
	execl("/proc/self/exe", "driver", "task", word[0], NULL);
	answer(-1, NULL, 0);
}

static const struct operation task_operations[] = {
	{ "euid", set_euid },
	{ "thread", start_thread },
	{ "fork", start_process },
	{ "vfork", start_vfork },
	{ "exec", exec },
	{ NULL, NULL },
};

static void run(const char *name)
{
	const struct operation *const tables[] = { event_operations, file_operations, task_operations };

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (const struct operation *at = tables[i]; at->name; at++)
			if (!strcmp(at->name, name)) {
				at->run();
				return;
			}
	errno = ENOSYS;
	answer(-1, NULL, 0);
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
			/* Whose end the controlling process waits for. */
			answer(gettid(), NULL, 0);
			return;
		}
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

/* The first thread of a process may end before the others, so it never returns from main. */
static void first_task(int task, int after_exec)
{
	map_arena();
	if (after_exec)
		answer(0, NULL, 0);
	task_loop(task);
	pthread_exit(NULL);
}

/* Returns when a thread has ended, so that what it held has been let go. */
static void wait_for_end(long tid)
{
	char path[64], stat[256];

	sprintf(path, "/proc/%ld/stat", tid);
	for (;;) {
		int fd = open(path, O_RDONLY);
		ssize_t length = fd < 0 ? -1 : read(fd, stat, sizeof(stat) - 1);

		if (fd >= 0)
			close(fd);
		stat[length < 0 ? 0 : length] = 0;
		if (length < 0 || strstr(stat, ") Z ") || strstr(stat, ") X "))
			return;
		usleep(1000);
	}
}

int main(int argc, char **argv)
{
	static char line[1 << 18], response[1 << 22];
	int answers[2];
	cpu_set_t first;
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
	/* perf listens on one CPU. */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	pipe(answers);
	dup2(answers[1], RESPONSE_FD);
	if (fork() == 0)
		first_task(TASKS - 1, 0);
	in = fdopen(answers[0], "r");
	while (fgets(line, sizeof(line), operations)) {
		write(REQUEST_FD(atoi(line)) + 1, line, strlen(line));
		if (!fgets(response, sizeof(response), in))
			return 1;
		if (strstr(line, " exit\n")) {
			wait_for_end(atol(response));
			strcpy(response, "0 0\n");
		}
		fputs(response, stdout);
	}
	return 0;
}
