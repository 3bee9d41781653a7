/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uapi: what the module and vmad say to each other has the same layout for both, on every architecture. The module asserts the same sizes. */
#include "unit.h"

#include "vmad/uapi.h"

#define SIZE(type, size) { #type, sizeof(struct type), _Alignof(struct type), size }

static const struct {
	const char *name;
	size_t found, alignment, expected;
} sizes[] = {
	SIZE(vmadk_array, 24),
	SIZE(vmadk_string, VMADK_STRING_WIDTH),
	SIZE(vmadk_reason, VMADK_REASON_WIDTH),
	SIZE(vmadk_info, VMADK_INFO_SIZE),
	SIZE(vmadk_vma, VMADK_VMA_WIDTH),
	SIZE(vmadk_table, VMADK_TABLE_WIDTH),
	SIZE(vmadk_member, VMADK_MEMBER_WIDTH),
	SIZE(vmadk_vmas, VMADK_VMAS_SIZE),
	SIZE(vmadk_mapping, VMADK_MAPPING_WIDTH),
	SIZE(vmadk_pid, VMADK_PID_WIDTH),
	SIZE(vmadk_rmap, VMADK_RMAP_SIZE),
	SIZE(vmadk_filemap, VMADK_FILEMAP_SIZE),
};

static void the_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (sizes[i].found != sizes[i].expected)
			fail_msg("%s: %zu bytes instead of %zu", sizes[i].name, sizes[i].found, sizes[i].expected);
		assert_int_equal(sizes[i].found % sizes[i].alignment, 0);
	}
}

#define FROM(type, member) offsetof(struct type, member)
#define BEHIND(type, member) (offsetof(struct type, member) + sizeof(((struct type *)0)->member))

/* The compiler's padding is not in anybody's promise: each member stands where the one before it ends. */
static void no_holes(void **state)
{
	(void)state;
	assert_int_equal(FROM(vmadk_array, pad) + 4, sizeof(struct vmadk_array));
	assert_int_equal(FROM(vmadk_info, capabilities), BEHIND(vmadk_info, page_shift));
	assert_int_equal(FROM(vmadk_info, kernel), BEHIND(vmadk_info, reasons));
	assert_int_equal(BEHIND(vmadk_info, module), VMADK_INFO_SIZE);
	assert_int_equal(FROM(vmadk_vma, device_major), 6 * 8);
	assert_int_equal(BEHIND(vmadk_vma, pad), VMADK_VMA_WIDTH);
	assert_int_equal(FROM(vmadk_vmas, cursor), BEHIND(vmadk_vmas, result));
	assert_int_equal(FROM(vmadk_vmas, vmas), BEHIND(vmadk_vmas, end));
	assert_int_equal(FROM(vmadk_mapping, mm), BEHIND(vmadk_mapping, vma_pgoff));
	assert_int_equal(BEHIND(vmadk_mapping, vm_ops), VMADK_MAPPING_WIDTH);
	assert_int_equal(FROM(vmadk_rmap, address), BEHIND(vmadk_rmap, result));
	assert_int_equal(FROM(vmadk_rmap, index), BEHIND(vmadk_rmap, a_ops));
	assert_int_equal(FROM(vmadk_rmap, mappings), BEHIND(vmadk_rmap, device_minor));
	assert_int_equal(FROM(vmadk_filemap, first), BEHIND(vmadk_filemap, result));
	assert_int_equal(FROM(vmadk_filemap, mappings), BEHIND(vmadk_filemap, device_minor));
}

/* The first member of each request, so that a shorter or a longer one is told before anything else is read. */
static void size_first(void **state)
{
	(void)state;
	assert_int_equal(offsetof(struct vmadk_info, size), 0);
	assert_int_equal(offsetof(struct vmadk_vmas, size), 0);
	assert_int_equal(offsetof(struct vmadk_rmap, size), 0);
	assert_int_equal(offsetof(struct vmadk_filemap, size), 0);
}

static void numbers(void **state)
{
	(void)state;
	assert_int_equal(VMADK_IOC_INFO, 0xbd00);
	assert_int_equal(VMADK_IOC_VMAS, 0xbd01);
	assert_int_equal(VMADK_IOC_RMAP, 0xbd02);
	assert_int_equal(VMADK_IOC_FILEMAP, 0xbd03);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("each struct has the size that its name says", the_sizes),
		CASE("there is no padding that is not named", no_holes),
		CASE("every request begins with its size", size_first),
		CASE("the numbers of the ioctls", numbers),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
