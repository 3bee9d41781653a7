/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maps_sum: what of a list of VMAs counts as what. */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sampler/maps_sum.h"

static int sum_of(const char *text, struct maps_sum *sum)
{
	int fd = file_of(text, strlen(text)), r;

	*sum = (struct maps_sum){ 0 };
	r = maps_sum_read(fd, sum);
	close(fd);
	return r;
}

static const char maps[] =
	"00400000-00401000 r-xp 00000000 fe:00 7 /usr/bin/old (deleted)\n"
	"00401000-00403000 rw-p 00000000 fe:00 7 /usr/bin/old (deleted)\n"
	"00500000-00510000 rwxp 00000000 00:00 0 \n"
	"00600000-00601000 r-xp 00000000 00:00 0 [heap]\n"
	"00700000-00701000 r-xs 00000000 00:01 9 /memfd:jit (deleted)\n"
	"00800000-00801000 rw-s 00000000 00:01 9 /memfd:x (deleted)\n"
	"00900000-00901000 r-xp 00000000 00:00 0 [vdso]\n"
	"00a00000-00a01000 r--p 00000000 fe:00 8 /lib/x.so\n"
	"00b00000-00b01000 rwxp 00000000 fe:00 8 /lib/x.so";

static void a_process(void **state)
{
	struct maps_sum sum;

	(void)state;
	assert_int_equal(sum_of(maps, &sum), 0);
	assert_int_equal(sum.vmas, 9);
	assert_int_equal(sum.wx_vmas, 2);
	assert_int_equal(sum.exec_anon_bytes, 0x10000 + 0x1000 + 0x1000);
	assert_int_equal(sum.deleted_bytes, 0x3000);
	assert_true(sum.deleted_exec);
}

static void deleted_data_alone(void **state)
{
	struct maps_sum sum;

	(void)state;
	assert_int_equal(sum_of("00400000-00401000 r--p 00000000 fe:00 7 /var/x (deleted)\n", &sum), 0);
	assert_int_equal(sum.deleted_bytes, 0x1000);
	assert_false(sum.deleted_exec);
}

static void nothing_is_no_process(void **state)
{
	struct maps_sum sum;

	(void)state;
	assert_int_equal(sum_of("", &sum), -ESRCH);
}

static void many_lines(void **state)
{
	static char text[60000 * 60];
	struct maps_sum sum;
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < 60000; i++)
		len += (size_t)sprintf(text + len, "%08x000-%08x000 r--p 00000000 00:00 0 \n", i, i + 1);
	assert_int_equal(sum_of(text, &sum), 0);
	assert_int_equal(sum.vmas, 60000);
}

static void a_rollup(void **state)
{
	static const char text[] = "00400000-7fff rollup [rollup]\nRss: 9 kB\nPss: 7 kB\nPrivate_Clean: 1 kB\nPrivate_Dirty: 2 kB\n";
	struct usage_bytes bytes = { 0 };
	int fd = file_of(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(usage_bytes_read(fd, &bytes), 0);
	assert_int_equal(bytes.pss_bytes, 7 * 1024);
	assert_int_equal(bytes.uss_bytes, 3 * 1024);
	close(fd);
	fd = file_of("", 0);
	assert_int_equal(usage_bytes_read(fd, &bytes), -ESRCH);
	close(fd);
	fd = file_of("x\nPss: 7 kB\n", 12);
	assert_int_equal(usage_bytes_read(fd, &bytes), -EINVAL);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("writable and executable, anonymous code, deleted files; memfds are no deleted files", a_process),
		CASE("a deleted file that nobody executes", deleted_data_alone),
		CASE("no line: the process is gone", nothing_is_no_process),
		CASE("60,000 lines are read in pieces", many_lines),
		CASE("smaps_rollup: PSS, and what is private", a_rollup),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
