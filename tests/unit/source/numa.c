/* SPDX-License-Identifier: GPL-2.0-or-later */
/* numa: nodes of frames, by the sysfs of several machines (tests/proc/numa). Blocks there are 32768 pages long. */
#include "unit.h"

#include <errno.h>
#include <unistd.h>

#include "source/numa.h"

static uint64_t block(void)
{
	return 0x8000000 / (uint64_t)sysconf(_SC_PAGESIZE);
}

static int node_of(const char *machine, uint64_t pfn, unsigned *ret_node, uint64_t *ret_end)
{
	return numa_node_of(fixture_path(machine), pfn, ret_node, ret_end);
}

static void one_node(void **state)
{
	unsigned node = 77;
	uint64_t end = 0;

	(void)state;
	assert_int_equal(node_of("numa/one-node", 12345, &node, &end), 0);
	assert_int_equal(node, 3);
	assert_int_equal(end, UINT64_MAX);
}

static void two_nodes(void **state)
{
	unsigned node = 77;
	uint64_t end = 0;

	(void)state;
	assert_int_equal(node_of("numa/two-nodes", 5, &node, &end), 0);
	assert_int_equal(node, 0);
	assert_int_equal(end, block());
	assert_int_equal(node_of("numa/two-nodes", block() + 1, &node, &end), 0);
	assert_int_equal(node, 1);
	assert_int_equal(end, 2 * block());
}

static void not_told(void **state)
{
	unsigned node = 77;
	uint64_t end = 0;

	(void)state;
	assert_int_equal(node_of("numa/two-nodes", 2 * block(), &node, &end), -ENOENT);	/* a block of both */
	assert_int_equal(end, 3 * block());
	assert_int_equal(node_of("numa/two-nodes", 3 * block(), &node, &end), -ENOENT);	/* a hole */
	assert_int_equal(node_of("numa/two-nodes", UINT64_MAX, &node, &end), -ENOENT);
	assert_int_equal(end, UINT64_MAX);
	assert_int_equal(node_of("numa/no-blocks", 1, &node, &end), -ENOENT);
	assert_int_equal(node_of("numa/without", 1, &node, &end), -EOPNOTSUPP);
	assert_int_equal(node, 77);
}

static void the_running_kernel(void **state)
{
	unsigned node = UINT32_MAX;
	uint64_t end = 0;
	int r = numa_node_of(NUMA_SYSFS, 1, &node, &end);

	(void)state;
	if (r == -EOPNOTSUPP)
		skip_because("this kernel knows of no nodes");
	assert_true(r == -ENOENT || (r == 0 && node < 1024 && end > 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("the only node has all memory", one_node),
		CASE("a block of memory has a link to its node", two_nodes),
		CASE("what is not told stays unknown", not_told),
		CASE("the running kernel", the_running_kernel),
	};

	return cmocka_run_group_tests_name("source/numa", tests, NULL, NULL);
}
