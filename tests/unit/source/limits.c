/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limits: soft limits by name. */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "source/limits.h"

static const char whole[] =
	"Limit                     Soft Limit           Hard Limit           Units     \n"
	"Max data size             1048576              unlimited            bytes     \n"
	"Max stack size            8388608              unlimited            bytes     \n"
	"Max locked memory         0                    8388608              bytes     \n"
	"Max address space         unlimited            unlimited            bytes     \n"
	"Max nice priority         0                    0                    \n";

static int parse(const char *text, size_t len, struct limits *limits)
{
	struct vmad_str bytes = guarded(text, len);

	return limits_parse(bytes.p, bytes.len, limits);
}

static void soft_limits(void **state)
{
	struct limits limits;

	(void)state;
	assert_int_equal(parse(whole, strlen(whole), &limits), 0);
	assert_int_equal(limits.data_bytes, 1048576);
	assert_int_equal(limits.locked_bytes, 0);
	assert_true(limits.address_space_bytes == LIMITS_UNLIMITED);
}

static void cut_anywhere(void **state)
{
	size_t enough = (size_t)(strstr(whole, "space         unlimited") - whole) + strlen("space         unlimited");

	(void)state;
	for (size_t len = 0; len <= strlen(whole); len++) {
		struct limits limits = { .data_bytes = 7 };
		int r = parse(whole, len, &limits);

		assert_int_equal(r, len < enough ? -EINVAL : 0);
		assert_int_equal(limits.data_bytes, r < 0 ? 7 : 1048576);
	}
}

static void strange_values(void **state)
{
	static const char *const values[] = { "", "many", "-1", "12x", "99999999999999999999" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct limits limits;

		snprintf(text, sizeof(text), "Max data size   1 1 bytes\nMax locked memory  1 1 bytes\nMax address space  %s unlimited bytes\n", values[i]);
		if (!*values[i])
			snprintf(text, sizeof(text), "Max data size   1 1 bytes\nMax locked memory  1 1 bytes\nMax address space  \n");
		assert_int_equal(parse(text, strlen(text), &limits), -EINVAL);
	}
}

static void from_a_file(void **state)
{
	struct limits limits;
	int fd = file_of(whole, strlen(whole));

	(void)state;
	assert_int_equal(limits_read(fd, &limits), 0);
	assert_int_equal(limits.data_bytes, 1048576);
	close(fd);
	assert_int_equal(limits_read(-1, &limits), -EBADF);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("soft limits, and what is unlimited", soft_limits),
		CASE("cut at any byte", cut_anywhere),
		CASE("values that are none", strange_values),
		CASE("from a file", from_a_file),
	};

	return cmocka_run_group_tests_name("limits", cases, NULL, NULL);
}
