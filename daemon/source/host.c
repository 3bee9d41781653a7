/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/small_file.h"

int host_number(int fd, uint64_t *ret_number)
{
	char text[32];
	ssize_t n = small_file_read(fd, text, sizeof(text));
	uint64_t value = 0;
	const char *p = text;

	if (n < 0)
		return (int)n;
	for (; p < text + n && *p >= '0' && *p <= '9'; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	if (p == text || p - text > 19 || (p < text + n && *p != '\n'))
		return -EINVAL;
	*ret_number = value;
	return 0;
}

int host_vma_limit(int fd, uint64_t *ret_limit)
{
	return host_number(fd, ret_limit);
}

/* Values of hidepid=, by number since ever, by name since Linux 5.8 (fs/proc/root.c). */
static const struct {
	const char *text;
	int hidepid;
} hidepid_values[] = {
	{ "0", 0 }, { "off", 0 },
	{ "1", 1 }, { "noaccess", 1 },
	{ "2", 2 }, { "invisible", 2 },
	{ "4", 4 }, { "ptraceable", 4 },
};

static int hidepid_value(const char *text)
{
	for (size_t i = 0; i < sizeof(hidepid_values) / sizeof(hidepid_values[0]); i++)
		if (!strcmp(hidepid_values[i].text, text))
			return hidepid_values[i].hidepid;
	return -EINVAL;
}

/* The option is not shown where it is off. */
static int hidepid_option(char *options)
{
	char *rest = options, *option;

	while ((option = strsep(&rest, ",")))
		if (!strncmp(option, "hidepid=", 8))
			return hidepid_value(option + 8);
	return 0;
}

/*
 * One line, in the format of proc_pid_mountinfo(5): mount id, parent, device, root, mount point, mount options, any
 * number of optional fields, "-", type, source, options of the file system. -ENOENT: it is not a procfs at mount_point.
 */
static int parse_line(char *line, const char *mount_point)
{
	char *rest = line, *field;

	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < 4; i++)
		strsep(&rest, " ");
	field = strsep(&rest, " ");
	if (!field || strcmp(field, mount_point) != 0)
		return -ENOENT;
	while ((field = strsep(&rest, " ")) && strcmp(field, "-") != 0)
		;
	field = strsep(&rest, " ");
	if (!field || strcmp(field, "proc") != 0)
		return -ENOENT;
	strsep(&rest, " ");
	return rest ? hidepid_option(rest) : 0;
}

/* The last mount on a mount point hides the earlier ones. */
static int parse_mounts(FILE *file, const char *mount_point)
{
	int hidepid = -ENOENT;
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, file) > 0) {
		int r = parse_line(line, mount_point);

		if (r != -ENOENT)
			hidepid = r;
	}
	free(line);
	return hidepid;
}

int host_hidepid(int mountinfo_fd, const char *mount_point)
{
	int fd = dup(mountinfo_fd), r;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (!file) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	rewind(file);
	r = parse_mounts(file, mount_point);
	fclose(file);
	return r;
}
