/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kind: what backs a VMA, told from its line in maps. */
#ifndef MODEL_KIND_H
#define MODEL_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "source/maps.h"

enum kind {
#define KIND(id, name, help) KIND_##id,
#include "vmad/kinds.def"
#undef KIND
	KINDS
};

const char *kind_name(enum kind kind);

/*
 * Which devices are hugetlbfs: maps does not say it in words. Asked of the running kernel by making a file of each huge
 * page size; a mounted hugetlbfs has a device of its own, which kind_learn_mounts finds in a mountinfo. Both before the
 * first kind_of(): what was learnt is read without a lock. In a captured tree the running kernel's devices mean
 * nothing.
 */
void kind_learn_devices(void);
void kind_learn_mounts(int mountinfo_fd);

/* A line of mountinfo: is it a hugetlbfs, and of which device (major << 32 | minor)? */
bool kind_parse_mount(const char *line, uint64_t *ret_device);

/* Of what the line says alone: reads no file. */
enum kind kind_of(const struct maps_entry *entry);

#endif
