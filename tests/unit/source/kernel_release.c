/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_release: the numbers of releases as distributions name them. */
#include "unit.h"

#include <errno.h>
#include <sys/utsname.h>

#include "source/kernel_release.h"

static void releases(void **state)
{
	static const struct {
		const char *text;
		int result;
		unsigned major, minor;
	} rows[] = {
		{ "6.12.48+deb13-cloud-amd64", 0, 6, 12 }, { "7.0-rc3", 0, 7, 0 }, { "4.19.0-27-amd64", 0, 4, 19 }, { "6.15", 0, 6, 15 },
		{ "5.14.0-503.11.1.el9_5.x86_64", 0, 5, 14 },
		{ "", -EINVAL, 0, 0 }, { "6", -EINVAL, 0, 0 }, { "6.", -EINVAL, 0, 0 }, { ".6", -EINVAL, 0, 0 }, { "v6.1", -EINVAL, 0, 0 },
		{ "6.-1", -EINVAL, 0, 0 }, { "6.1234567890", -EINVAL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kernel_release release = { 0, 0 };

		assert_int_equal(kernel_release_parse(rows[i].text, &release), rows[i].result);
		assert_int_equal(release.major, rows[i].major);
		assert_int_equal(release.minor, rows[i].minor);
	}
}

static void running(void **state)
{
	struct kernel_release release;
	struct utsname uts;

	(void)state;
	assert_int_equal(uname(&uts), 0);
	assert_int_equal(kernel_release_parse(uts.release, &release), 0);
	assert_false(kernel_release_is_before(release.major, release.minor));
	assert_false(kernel_release_is_before(release.major - 1, release.minor + 1));
	assert_true(kernel_release_is_before(release.major, release.minor + 1));
	assert_true(kernel_release_is_before(release.major + 1, 0));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("the first two numbers, or none", releases),
		CASE("the running one is not before itself, but before the next", running),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
