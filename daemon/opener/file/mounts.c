/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/file/mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Types whose answers come from this machine alone. One that is not here may be as good, but nobody has looked. */
static bool is_local_type(const char *type)
{
	static const char *const types[] = {
		"bcachefs", "btrfs", "cramfs", "devtmpfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs",
		"hugetlbfs", "iso9660", "jfs", "minix", "msdos", "nilfs2", "ntfs3", "overlay", "proc", "ramfs",
		"reiserfs", "romfs", "squashfs", "sysfs", "tmpfs", "udf", "vfat",
		"xfs", "zfs",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

static bool is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' && p[2] <= '7';
}

/* Is it the path that mountinfo writes so (blanks and backslashes as \ooo)? */
static bool is_path(const char *written, const char *path)
{
	for (; *written && *path; path++) {
		char c = *written++;

		if (c == '\\' && is_octal(written)) {
			c = (char)((written[0] - '0') << 6 | (written[1] - '0') << 3 | (written[2] - '0'));
			written += 3;
		}
		if (c != *path)
			return false;
	}
	return !*written && !*path;
}

/*
 * A line of mountinfo, proc(5): "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw"; its strings are the
 * line's.
 */
struct mount {
	uint64_t id;
	const char *path, *type;
};

static bool parse_mount(char *line, struct mount *ret)
{
	char *type = strstr(line, " - "), *word = NULL, *end;

	if (!type || *line < '0' || *line > '9')
		return false;
	type += 3;
	type[strcspn(type, " \n")] = '\0';
	ret->type = type;
	ret->id = strtoull(line, &end, 10);
	if (*end != ' ')
		return false;
	for (int i = 0; i < 5; i++)
		word = strsep(&line, " ");
	ret->path = word;
	return word != NULL;
}

bool mounts_is_local(int mountinfo_fd, uint64_t id, const char *path)
{
	FILE *file = fdopen(mountinfo_fd, "r");
	bool is_local = false;
	struct mount mount;
	char *line = NULL;
	size_t size = 0;

	if (!file) {
		close(mountinfo_fd);
		return false;
	}
	while (getline(&line, &size, file) > 0) {
		/* later lines lie on top of earlier ones */
		if (parse_mount(line, &mount) && (path ? is_path(mount.path, path) : mount.id == id))
			is_local = is_local_type(mount.type);
	}
	free(line);
	fclose(file);
	return is_local;
}
