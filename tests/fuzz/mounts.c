/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounts_is_local(), which reads a mountinfo that mount points of others stand in, held against the words of each line: what is said of the last
 * one that is meant is what is said of its type in a line of ours.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "opener/file/mounts.h"

#define ID 22

static bool ask(const void *bytes, size_t size, uint64_t id, const char *path)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	return mounts_is_local(fd, id, path);
}

static bool is_local_type(const char *type)
{
	char *line;
	int len = asprintf(&line, "%d 1 0:1 / /x rw - %s source rw\n", ID, type);
	bool is_local;

	MUST(len >= 0);
	is_local = ask(line, (size_t)len, ID, NULL);
	free(line);
	return is_local;
}

/* As mountinfo writes it, decoded in place. */
static size_t decode(char *path)
{
	char *to = path;

	for (const char *from = path; *from; to++) {
		if (from[0] == '\\' && strspn(from + 1, "0123") && strspn(from + 2, "01234567") && strspn(from + 3, "01234567")) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	return (size_t)(to - path);
}

/* Cuts the line behind its type. NULL: it has none. */
static char *take_type(char *line)
{
	char *type = strstr(line, " - ");

	if (!type)
		return NULL;
	type += 3;
	type[strcspn(type, " ")] = '\0';
	return type;
}

/* False: the line is about another mount, or no line of mountinfo. */
static bool is_meant(char *line, const char *path)
{
	char *words[5];
	size_t len;

	for (size_t i = 0; i < 5; i++)
		words[i] = strsep(&line, " ");
	if (!words[4] || !*words[0] || words[0][strspn(words[0], "0123456789")])
		return false;
	if (!path)
		return !strcmp(words[0] + strspn(words[0], "0"), "22");
	len = decode(words[4]);
	return len == strlen(path) && !memcmp(words[4], path, len);
}

struct expected {
	const char *path;
	bool is_local;
};

/* The last line that is about the mount has the last word. */
static void look(void *arg, char *line)
{
	struct expected *expected = arg;
	char *type = take_type(line), *copy = type ? strdup(type) : NULL;

	MUST(copy || !type);
	if (type && is_meant(line, expected->path))
		expected->is_local = is_local_type(copy);
	free(copy);
}

static bool is_expected_local(const uint8_t *data, size_t size, const char *path)
{
	struct expected expected = { .path = path };

	each_line(data, size, look, &expected);
	return expected.is_local;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = { NULL, "/", "/home", "/mnt/a b" };

	MUST(is_local_type("ext4") && !is_local_type("nfs4"));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		MUST(ask(data, size, ID, paths[i]) == is_expected_local(data, size, paths[i]));
	return 0;
}
