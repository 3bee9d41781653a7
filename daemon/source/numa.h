/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * numa: which node a page frame belongs to, as sysfs tells it of nodes and of blocks of memory.
 * Sources: Documentation/ABI/stable/sysfs-devices-node, Documentation/admin-guide/mm/memory-hotplug.rst.
 */
#ifndef SOURCE_NUMA_H
#define SOURCE_NUMA_H

#include <stdbool.h>
#include <stdint.h>

#define NUMA_SYSFS "/sys/devices/system"

/*
 * The node of a frame. *ret_end: the same goes for the frames up to this one, on success and on -ENOENT. -ENOENT: it is
 * not told: no memory is there, or the block has some of several nodes; -EOPNOTSUPP: this kernel knows of no nodes.
 */
int numa_node_of(const char *sysfs, uint64_t pfn, unsigned *ret_node, uint64_t *ret_end);

/* The node of a list that holds one, as node/has_memory ("0\n"; "0-1\n" holds two). */
bool numa_parse_node(const char *list, unsigned *ret_node);

/* memory/block_size_bytes: hex, without 0x. */
bool numa_parse_block_size(const char *text, uint64_t *ret_bytes);

#endif
