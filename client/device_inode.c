/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device_inode.h"

#include <errno.h>
#include <string.h>

int device_inode_parse(const char *word, size_t *ret_device_len)
{
	static const char hex[] = "0123456789abcdef";
	size_t major = strspn(word, hex), minor = word[major] == ':' ? strspn(word + major + 1, hex) : 0;
	const char *inode;

	if (!major || !minor || word[major + 1 + minor] != ':')
		return -EINVAL;
	inode = word + major + 1 + minor + 1;
	if (!*inode || inode[strspn(inode, "0123456789")])
		return -EINVAL;
	*ret_device_len = major + 1 + minor;
	return 0;
}
