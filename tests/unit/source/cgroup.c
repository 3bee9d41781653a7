/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup: paths of groups from their inodes; any directories will do for groups. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/cgroup.h"

static const char *const groups[] = { "/system.slice", "/system.slice/a.service", "/user.slice", "/user.slice/deep",
				      "/user.slice/deep/deeper" };
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static char root[] = "/tmp/vmad-unit-cgroup-XXXXXX";

static const char *path_of(const char *group)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s%s", root, group);
	return path;
}

static int make_groups(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	for (size_t i = 0; i < GROUPS; i++)
		if (mkdir(path_of(groups[i]), 0700) < 0)
			return -1;
	return 0;
}

static int remove_groups(void **state)
{
	(void)state;
	for (size_t i = GROUPS; i-- > 0;)
		rmdir(path_of(groups[i]));
	return rmdir(root);
}

static uint64_t inode_of(const char *group)
{
	struct stat status;

	assert_int_equal(stat(path_of(group), &status), 0);
	return status.st_ino;
}

static const char *found(const struct cgroup_name *names, size_t count, uint64_t inode)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].inode == inode)
			return names[i].path;
	return NULL;
}

static void all_of_them(void **state)
{
	struct cgroup_name names[GROUPS + 1] = { 0 };
	size_t descriptors = count_entries("/proc/self/fd");

	(void)state;
	names[GROUPS].inode = inode_of("");
	for (size_t i = 0; i < GROUPS; i++)
		names[i].inode = inode_of(groups[GROUPS - 1 - i]);
	assert_int_equal(cgroup_find_paths(root, names, GROUPS + 1), 0);
	for (size_t i = 0; i < GROUPS; i++)
		assert_string_equal(found(names, GROUPS + 1, inode_of(groups[i])), groups[i]);
	assert_string_equal(found(names, GROUPS + 1, inode_of("")), "/");
	cgroup_names_clear(names, GROUPS + 1);
	assert_null(names[0].path);
	assert_int_equal(count_entries("/proc/self/fd"), descriptors);
}

static void those_that_are_gone(void **state)
{
	struct cgroup_name names[2] = { { .inode = UINT64_MAX }, { .inode = inode_of("/user.slice/deep") } };

	(void)state;
	assert_int_equal(cgroup_find_paths(root, names, 2), 0);
	assert_string_equal(found(names, 2, inode_of("/user.slice/deep")), "/user.slice/deep");
	assert_null(found(names, 2, UINT64_MAX));
	cgroup_names_clear(names, 2);
	assert_int_equal(cgroup_find_paths(root, NULL, 0), 0);
}

/* expected: NULL where there is none. */
static void expect_path(uint64_t inode, const char *expected)
{
	char *path = cgroup_path(root, inode);

	if (expected)
		assert_string_equal(path, expected);
	else
		assert_null(path);
	free(path);
}

static void remembered(void **state)
{
	char from[128], to[128];
	uint64_t inode;

	(void)state;
	snprintf(from, sizeof(from), "%s/passing", root);
	snprintf(to, sizeof(to), "%s/user.slice/passed", root);
	assert_int_equal(mkdir(from, 0700), 0);
	inode = inode_of("/passing");
	expect_path(inode, "/passing");
	expect_path(inode, "/passing");
	assert_int_equal(rename(from, to), 0);
	expect_path(inode, "/user.slice/passed");
	assert_int_equal(rmdir(to), 0);
	expect_path(inode, NULL);
	expect_path(inode_of(""), "/");
	expect_path(inode_of(""), "/");
}

static void no_such_root(void **state)
{
	struct cgroup_name name = { .inode = 1 };

	(void)state;
	assert_int_equal(cgroup_find_paths("/nowhere", &name, 1), -ENOENT);
	assert_null(name.path);
}

/* What the kernel calls a group of ours is what stat says. */
static void the_running_kernel(void **state)
{
	struct cgroup_name name = { 0 };
	struct stat status;

	(void)state;
	if (stat(cgroup_root(), &status) < 0)
		skip_because("no control groups are mounted");
	name.inode = status.st_ino;
	assert_int_equal(cgroup_find_paths(cgroup_root(), &name, 1), 0);
	assert_string_equal(name.path, "/");
	cgroup_names_clear(&name, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("the paths of many groups, found in one walk", all_of_them),
		CASE("a group that is gone has no path", those_that_are_gone),
		CASE("a path is told as long as it is the group's", remembered),
		CASE("without control groups there are no paths", no_such_root),
		CASE("the hierarchy of the running kernel", the_running_kernel),
	};

	return cmocka_run_group_tests_name("source/cgroup", tests, make_groups, remove_groups);
}
