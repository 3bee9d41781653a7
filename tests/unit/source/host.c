/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: the limit, and the options of a mount. */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "source/host.h"

static void limit(void **state)
{
	int fd = fixture_open("odd/sys/vm/max_map_count");
	uint64_t value;

	(void)state;
	assert_int_equal(host_vma_limit(fd, &value), 0);
	assert_int_equal(value, 1048576);
	assert_int_equal(host_vma_limit(fd, &value), 0);
	close(fd);
}

static void no_limit(void **state)
{
	static const char *const texts[] = { "", "\n", "many\n", "65530x\n", "123456789012345678901\n" };
	uint64_t value = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = file_of(texts[i], strlen(texts[i]));

		assert_int_equal(host_vma_limit(fd, &value), -EINVAL);
		close(fd);
	}
	assert_int_equal(value, 7);
	assert_int_equal(host_vma_limit(-1, &value), -EBADF);
}

static int hidepid_of(const char *mounts, const char *mount_point)
{
	int fd = file_of(mounts, strlen(mounts)), r = host_hidepid(fd, mount_point);

	assert_int_equal(host_hidepid(fd, mount_point), r);	/* it may be asked again */
	close(fd);
	return r;
}

#define ROOT_MOUNT "1 0 254:0 / / rw,relatime - ext4 /dev/root rw\n"

static void hidepid(void **state)
{
	(void)state;
	assert_int_equal(hidepid_of(ROOT_MOUNT "20 1 0:5 / /proc rw,nosuid shared:7 - proc proc rw\n", "/proc"), 0);
	assert_int_equal(hidepid_of(ROOT_MOUNT "20 1 0:5 / /proc rw shared:7 master:1 - proc proc rw,gid=5,hidepid=invisible\n", "/proc"), 2);
	assert_int_equal(hidepid_of("20 1 0:5 / /proc rw - proc proc rw,hidepid=2\n", "/proc"), 2);
	assert_int_equal(hidepid_of("20 1 0:5 / /proc rw - proc proc rw,hidepid=noaccess", "/proc"), 1);
	assert_int_equal(hidepid_of("20 1 0:5 / /proc rw - proc proc rw,hidepid=ptraceable,subset=pid\n", "/proc"), 4);
	assert_int_equal(hidepid_of("20 1 0:5 / /proc rw - proc proc rw,hidepid=off\n", "/proc"), 0);
	assert_int_equal(hidepid_of("20 1 0:5 / /proc rw - proc proc rw,hidepid=9\n", "/proc"), -EINVAL);
}

static void which_mount(void **state)
{
	(void)state;
	assert_int_equal(hidepid_of(ROOT_MOUNT "20 1 0:5 / /jail/proc rw - proc proc rw,hidepid=2\n", "/proc"), -ENOENT);
	assert_int_equal(hidepid_of("20 1 0:5 / /proc rw - tmpfs proc rw,hidepid=2\n", "/proc"), -ENOENT);
	assert_int_equal(hidepid_of("20 1 0:5 / /proc rw - proc proc rw\n30 20 0:9 / /proc rw - proc proc rw,hidepid=2\n", "/proc"), 2);
	assert_int_equal(hidepid_of("20\n20 1\nnonsense\n", "/proc"), -ENOENT);
	assert_int_equal(hidepid_of("", "/proc"), -ENOENT);
	assert_int_equal(host_hidepid(-1, "/proc"), -EBADF);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("vm.max_map_count, more than once", limit),
		CASE("what is no limit", no_limit),
		CASE("hidepid by number and by name", hidepid),
		CASE("the topmost procfs of a mount point counts", which_mount),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
