/* SPDX-License-Identifier: GPL-2.0 */
/* array: the caller's arrays, struct vmadk_array of the protocol. */
#ifndef VMADK_ARRAY_H
#define VMADK_ARRAY_H

#include <linux/types.h>

#include "vmad/uapi.h"

/* Is it one of elements of this width, with nothing that the protocol does not know? 0, -EINVAL or -E2BIG. */
int array_check(const struct vmadk_array *array, u32 width);

/* Writes elements behind those that it counts already; there is room for them. 0 or -EFAULT. */
int array_append(struct vmadk_array *array, const void *elements, u32 count);

#endif
