/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_release: which kernel it is, by what uname(2) says: "6.12.48+deb13-cloud-amd64". The first two numbers are the kernel's own. */
#ifndef SOURCE_KERNEL_RELEASE_H
#define SOURCE_KERNEL_RELEASE_H

#include <stdbool.h>

struct kernel_release {
	unsigned major, minor;
};

/* 0, or -EINVAL where it does not begin with two numbers. */
int kernel_release_parse(const char *text, struct kernel_release *ret);

/* Is the running kernel older than that? One that does not say is not. */
bool kernel_release_is_before(unsigned major, unsigned minor);

#endif
