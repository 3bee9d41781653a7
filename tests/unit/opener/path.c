/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files by their paths: a walk of local file systems only ends where the kernel's own does; and which mounts are local. */
#include "people.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "opener/file/local_walk.h"
#include "opener/file/mounts.h"
#include "opener/opener.h"

static char directory[] = "/var/tmp/vmad-path-XXXXXX";
static struct procfs procfs;

static const char *path_of(const char *rest)
{
	static char path[8192];

	snprintf(path, sizeof(path), "%s%s", directory, rest);
	return path;
}

/* Forty links are followed, one more is not. */
static int make_chain(void)
{
	char name[16], target[16];

	for (int i = 0; i <= 41; i++) {
		snprintf(name, sizeof(name), "/chain%d", i);
		snprintf(target, sizeof(target), i ? "chain%d" : "file", i - 1);
		if (symlink(target, path_of(name)) < 0)
			return -1;
	}
	return 0;
}

static int make_links(void)
{
	static const struct { const char *target, *name; } links[] = {
		{ "loop", "/loop" }, { "sub", "/to-sub" }, { "/", "/to-root" }, { "../file", "/sub/up" },
		{ "nothing", "/dangling" }, { "sub/", "/slash" }, { "file/", "/file-slash" },
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i].target, path_of(links[i].name)) < 0)
			return -1;
	return make_chain();
}

static int set_up(void **state)
{
	int fd;

	(void)state;
	if (!mkdtemp(directory) || chmod(directory, 0755) < 0 || mkdir(path_of("/sub"), 0755) < 0 ||
	    mkdir(path_of("/closed"), 0) < 0)
		return -1;
	fd = open(path_of("/file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	close(fd);
	return make_links() < 0 ? -1 : procfs_init(&procfs, "/proc");
}

static int tear_down(void **state)
{
	char command[sizeof(directory) + 8];

	(void)state;
	procfs_close(&procfs);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);	/* NOLINT(cert-env33-c): a test's own directory */
}

/* What a walk found: device and inode, or a negative errno. */
struct found {
	int code;
	dev_t device;
	ino_t inode;
};

static struct found look(int fd)
{
	struct found found = { .code = fd < 0 ? fd : 0 };
	struct stat st;

	if (fd < 0)
		return found;
	assert_int_equal(fstat(fd, &st), 0);
	found.device = st.st_dev;
	found.inode = st.st_ino;
	close(fd);
	return found;
}

static int compare(void *arg)
{
	const char *path = arg;
	int fd = open(path, O_PATH | O_CLOEXEC);
	struct found wanted = look(fd < 0 ? -errno : fd), found = look(local_walk(&procfs, path));

	if (found.code == wanted.code && found.device == wanted.device && found.inode == wanted.inode)
		return 0;
	fprintf(stderr, "# %.100s: %d, inode %lu; but the kernel says %d, inode %lu\n", path, found.code,
		(unsigned long)found.inode, wanted.code, (unsigned long)wanted.inode);
	return 1;
}

static void same_walk(void **state)
{
	static const char *const inside[] = {
		"", "/", "/.", "/..", "/file", "//file", "/./file", "/file/", "/file/.", "/file/..", "/file/x",
		"/sub", "/sub/", "/sub/..", "/sub/../file", "/sub/up", "/to-sub/up", "/to-sub", "/to-sub/",
		"/to-sub/../file", "/slash", "/slash/up", "/file-slash", "/to-root/etc/passwd", "/dangling",
		"/loop", "/loop/x", "/nothing", "/nothing/..", "/chain0", "/chain39", "/chain40", "/chain41",
		"/closed", "/closed/x", "/closed/../file",
	};
	static const char *const outside[] = {
		"/", "//", "/..", "/../../etc", "/dev/null", "/dev/shm", "/dev/shm/..", "/dev/shm/../null",
		"/proc/version", "/proc/1/stat", "/sys/kernel", "/etc/passwd", "/bin/sh", "/lib",
	};
	const struct vmad_caller *callers[] = { people_nobody(), people_bare_root() };

	(void)state;
	skip_under_valgrind("it knows no openat2(2)");
	if (geteuid() != 0)
		skip_because("needs root, to be somebody else");
	for (size_t who = 0; who < 2; who++) {
		for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
			assert_int_equal(people_run(callers[who], compare, (void *)path_of(inside[i])), 0);
		for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
			assert_int_equal(people_run(callers[who], compare, (void *)outside[i]), 0);
	}
}

static void long_paths(void **state)
{
	char path[6000];

	(void)state;
	skip_under_valgrind("it knows no openat2(2)");
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[257] = '\0';
	assert_int_equal(local_walk(&procfs, path), -ENAMETOOLONG);
	for (size_t i = 1; i < sizeof(path) - 1; i += 2)
		memcpy(path + i, "./", 2);
	strcpy(path + 4001, "dev/null");
	assert_true(look(local_walk(&procfs, path)).code == 0);
}

static void links_of_procfs(void **state)
{
	(void)state;
	skip_under_valgrind("it knows no openat2(2)");
	assert_int_equal(local_walk(&procfs, "/proc/self/exe"), -ELOOP);
	assert_int_equal(local_walk(&procfs, "/proc/self/root/etc/passwd"), -ELOOP);
}

static bool is_local(uint64_t id, const char *path)
{
	static const char text[] =
		"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
		"23 22 0:20 / /proc rw - proc proc rw\n"
		"24 22 0:30 / /mnt/a\\040b\\134 rw - tmpfs none rw\n"
		"25 22 0:31 / /home rw,nosuid master:1 propagate_from:2 - nfs4 server:/home rw\n"
		"26 22 0:32 / /over rw - tmpfs none rw\n"
		"27 26 0:33 / /over rw - fuse.sshfs me@there rw\n"
		"28 22 0:34 / /under rw - autofs auto rw\n"
		"29 28 0:35 / /under rw - ext4 /dev/x rw\n"
		"garbage\n"
		"30 22 0:36 / /new rw - a-type-of-2040 none rw\n"
		"31 - ext4 x\n"
		"32 22 0:37 / /cut rw - ext4";

	return mounts_is_local(file_of(text, sizeof(text) - 1), id, path);
}

static void mounts(void **state)
{
	static const struct {
		uint64_t id;
		const char *path;
		bool is_local;
	} rows[] = {
		{ 22, NULL, true },        { 23, NULL, true },       { 24, NULL, true },
		{ 25, NULL, false },       { 27, NULL, false },      { 26, NULL, true },
		{ 30, NULL, false },       { 31, NULL, false },      { 32, NULL, true },
		{ 99, NULL, false },       { 0, NULL, false },       { 0, "/", true },
		{ 0, "/mnt/a b\\", true }, { 0, "/mnt/a", false },   { 0, "/mnt/a b\\c", false },
		{ 0, "/home", false },     { 0, "/over", false },    { 0, "/under", true },
		{ 0, "/new", false },      { 0, "/nowhere", false }, { 0, "", false },
		{ 0, "/cut", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (is_local(rows[i].id, rows[i].path) != rows[i].is_local)
			fail_msg("mount %d at %s", (int)rows[i].id, rows[i].path ? rows[i].path : "any path");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a walk of local file systems ends where the kernel's ends", same_walk),
		CASE("long names are refused, long paths walked", long_paths),
		CASE("links of procfs are not followed", links_of_procfs),
		CASE("which mounts are local", mounts),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
