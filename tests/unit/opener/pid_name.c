/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pid_name: which names in /proc are pids. */
#include "unit.h"

#include "opener/file/pid_name.h"

static void names(void **state)
{
	static const struct {
		const char *name;
		pid_t pid;
	} rows[] = {
		{ "1", 1 }, { "4194304", 4194304 }, { "2147483647", 2147483647 },
		{ "", 0 }, { "0", 0 }, { ".", 0 }, { "..", 0 }, { "self", 0 }, { "1a", 0 }, { " 1", 0 }, { "-1", 0 }, { "2147483648", 0 },
		{ "4294967297", 0 }, { "18446744073709551617", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(pid_name_parse(rows[i].name), rows[i].pid);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("digits are a pid, and nothing else is", names),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
