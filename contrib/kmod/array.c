// SPDX-License-Identifier: GPL-2.0
#include "array.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/uaccess.h>

int array_check(const struct vmadk_array *array, u32 width)
{
	if (array->width != width || array->pad)
		return -EINVAL;
	if (array->room && array->at % sizeof(u64))
		return -EINVAL;
	return array->room > VMADK_ROOM_MAX ? -E2BIG : 0;
}

int array_append(struct vmadk_array *array, const void *elements, u32 count)
{
	u64 at = array->at + (u64)array->count * array->width;

	if (copy_to_user(u64_to_user_ptr(at), elements, (size_t)count * array->width))
		return -EFAULT;
	array->count += count;
	return 0;
}
