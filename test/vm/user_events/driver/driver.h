#ifndef DRIVER_H
#define DRIVER_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TRACEFS "/sys/kernel/tracing/"
#define TASKS 16
#define SLOTS 64
/* Descriptors have fixed numbers, so that they can be found after exec. */
#define RESPONSE_FD 90
#define REQUEST_FD(task) (100 + 2 * (task))
#define SLOT_FD(slot) (200 + (slot))

/* Memory at fixed addresses; operations.ts has the same. */
#define WORDS 0x10000000ul /* two pages: writable, read-only; then nothing */
#define STRUCTURES 0x10010000ul /* four pages, then nothing */
#define NAMES 0x10011000ul

/* The words of one operation: task, name, arguments. */
extern char *word[16];
#define NUMBER(i) strtoul(word[i], NULL, 0)
#define FD(i) SLOT_FD(atoi(word[i]))

/* Decodes hex into out, with a NUL after it; the number of bytes. "-" stands for none. */
size_t unhex(const char *hex, unsigned char *out);
/* Writes the line of output: result, errno if the result is -1, and data unless NULL. */
void answer(long result, const void *data, size_t length);
/* The path of a file below tracefs. */
void tracefs_path(char *path, const char *hex);
/* Puts a descriptor into the slot that a word names. */
long place(int fd, int i);

struct operation {
	const char *name;
	void (*run)(void);
};

/* Both end with a name of NULL. */
extern const struct operation event_operations[];
extern const struct operation file_operations[];

#endif
