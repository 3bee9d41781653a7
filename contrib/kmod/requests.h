/* SPDX-License-Identifier: GPL-2.0 */
/* requests: the ioctls, one handler each. A handler checks what it is given, and fills what is to be written back. */
#ifndef VMADK_REQUESTS_H
#define VMADK_REQUESTS_H

#include <linux/errno.h>

#include "vmad/uapi.h"

int request_info(struct vmadk_info *info);
int request_vmas(struct vmadk_vmas *vmas);

#ifdef VMADK_TREES
int request_rmap(struct vmadk_rmap *rmap);
int request_filemap(struct vmadk_filemap *filemap);
#else
static inline int request_rmap(struct vmadk_rmap *rmap)
{
	return -EOPNOTSUPP;
}

static inline int request_filemap(struct vmadk_filemap *filemap)
{
	return -EOPNOTSUPP;
}
#endif

#endif
