/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: settings of the running kernel that vmad reports, from files that the opener opened (enum opener_host_file). */
#ifndef SOURCE_HOST_H
#define SOURCE_HOST_H

#include <stdint.h>

/* A setting that is one number, from its open file; may be asked again. 0 or negative errno. */
int host_number(int fd, uint64_t *ret_number);

/*
 * vm.max_map_count (Documentation/admin-guide/sysctl/vm.rst), from its open file; may be asked again. 0 or negative
 * errno.
 */
int host_vma_limit(int fd, uint64_t *ret_limit);

/*
 * The hidepid= option of the procfs at mount_point, from an open mountinfo: 0 to 4 (invisible is 2, ptraceable 4).
 * proc(5); -ENOENT where there is no such mount.
 */
int host_hidepid(int mountinfo_fd, const char *mount_point);

#endif
