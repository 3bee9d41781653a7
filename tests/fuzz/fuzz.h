/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz: a target is a file with this function. libFuzzer calls it (make fuzz, after configure --enable-fuzzing CC=clang), and replay.c
 * calls it for the seeds (make check, with any compiler): the files of that name in tests/proc, and all in corpus/NAME.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input is. Unlike assert(), never compiled out. */
#define MUST(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* For each line, with a NUL at its end; the last one may be empty. To what looks at strings it ends at a NUL in it. */
static inline void each_line(const uint8_t *data, size_t size, void (*look)(void *arg, char *line), void *arg)
{
	char *text = malloc(size + 1), *line = text;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *end = text; end <= text + size; end++) {
		if (*end != '\n' && end < text + size)
			continue;
		*end = '\0';
		look(arg, line);
		line = end + 1;
	}
	free(text);
}

/* For what reads a file: one that holds these bytes, at its beginning. It is the same one each time. */
static inline int file_with(const void *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	MUST(fd >= 0 && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	MUST(pwrite(fd, data, size, 0) == (ssize_t)size);
	return fd;
}

#endif
