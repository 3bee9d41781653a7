/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kind: what backs a VMA, told from its line in maps. */
#ifndef MODEL_KIND_H
#define MODEL_KIND_H

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
 * The devices (major << 32 | minor) that are hugetlbfs: maps does not say it in words. Asked of the kernel once, by making a
 * file of each huge page size; mounted hugetlbfs has a device of its own, which kind_learn_mounts finds in a mountinfo.
 */
void kind_learn_devices(void);
void kind_learn_mounts(int mountinfo_fd);

enum kind kind_of(const struct maps_entry *entry);

#endif
