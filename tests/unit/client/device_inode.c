/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device_inode.h"

#include <errno.h>

#include "test.h"

static void the_device_ends_where_the_inode_begins(void **state)
{
	size_t len = 0;

	(void)state;
	assert_int_equal(device_inode_parse("fe:00:247101", &len), 0);
	assert_int_equal(len, 5);
	assert_int_equal(device_inode_parse("103:10:1", &len), 0);
	assert_int_equal(len, 6);
}

static void anything_else_is_a_path(void **state)
{
	static const char *const words[] = { "", "fe", "fe:", "fe:00", "fe:00:", "fe::1", ":00:1", "fe:00:2a", "FE:00:1", "fe:00:1:2", "/fe:00:1", "fe:00:-1" };
	size_t len = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++)
		assert_int_equal(device_inode_parse(words[i], &len), -EINVAL);
	assert_int_equal(len, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_device_ends_where_the_inode_begins),
		cmocka_unit_test(anything_else_is_a_path),
	};

	return cmocka_run_group_tests_name("client/device_inode", tests, NULL, NULL);
}
