/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device_inode: "fe:00:2051", a file by its device, as maps shows it (major and minor in hex), and its inode in decimal: for one that
 * has no path any more.
 */
#ifndef CLIENT_DEVICE_INODE_H
#define CLIENT_DEVICE_INODE_H

#include <stddef.h>

/* 0 and how long the device is: a colon and the inode follow; or -EINVAL. */
int device_inode_parse(const char *word, size_t *ret_device_len);

#endif
