/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status: four counts among many lines. */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "source/status.h"

static const char whole[] =
	"Name:\tVmStk: 1 kB\nUmask:\t0022\nVmPeak:\t   9000 kB\nVmSize:\t   8192 kB\nVmLck:\t      4 kB\nVmData:\t    360 kB\nVmStk:\t    132 kB\nThreads:\t1\n";

static struct status_facts parse(const char *text, size_t len)
{
	struct vmad_str bytes = guarded(text, len);
	struct status_facts facts;

	status_parse(bytes.p, bytes.len, &facts);
	return facts;
}

static void a_process(void **state)
{
	struct status_facts facts = parse(whole, strlen(whole));

	(void)state;
	assert_true(facts.has_mm);
	assert_int_equal(facts.size_bytes, 8192 * 1024);
	assert_int_equal(facts.locked_bytes, 4 * 1024);
	assert_int_equal(facts.data_bytes, 360 * 1024);
	assert_int_equal(facts.stack_bytes, 132 * 1024);
}

static void cut_anywhere(void **state)
{
	size_t enough = (size_t)(strstr(whole, "132 kB") - whole) + 6;

	(void)state;
	for (size_t len = 0; len <= strlen(whole); len++)
		assert_int_equal(parse(whole, len).has_mm, len >= enough);
}

static void no_address_space(void **state)
{
	static const char kthread[] = "Name:\tkthreadd\nThreads:\t1\n";

	(void)state;
	assert_false(parse(kthread, strlen(kthread)).has_mm);
}

static void strange_values(void **state)
{
	static const char *const values[] = { "VmStk:\t132 MB", "VmStk:\tmany kB", "VmStk:\t kB", "VmStk:", "VmStk:\t99999999999999999999 kB" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(text, sizeof(text), "VmSize:\t1 kB\nVmLck:\t1 kB\nVmData:\t1 kB\n%s\n", values[i]);
		assert_false(parse(text, strlen(text)).has_mm);
	}
}

static void our_own(void **state)
{
	struct status_facts facts;
	int fd = file_of(whole, strlen(whole));

	(void)state;
	assert_int_equal(status_read(fd, &facts), 0);
	assert_true(facts.has_mm);
	close(fd);
	assert_int_equal(status_read(-1, &facts), -EBADF);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a process: sizes in bytes", a_process),
		CASE("cut at any byte: known only when all four were there", cut_anywhere),
		CASE("a thread of the kernel has none", no_address_space),
		CASE("values that are not kB", strange_values),
		CASE("from a file", our_own),
	};

	return cmocka_run_group_tests_name("status", cases, NULL, NULL);
}
