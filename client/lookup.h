/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies at an address: asked from vmad, or worked out from a saved list. Either way it is an object with the members of
 * the record "lookup" in fields.def.
 */
#ifndef CLIENT_LOOKUP_H
#define CLIENT_LOOKUP_H

#include <jansson.h>

#include "address.h"
#include "place.h"
#include "session.h"

/*
 * FILE+OFFSET becomes the address that it has there; START-END its first address; START+SIZE is refused. EXIT_DONE,
 * EXIT_MISSING, or trouble.
 */
int lookup_address(struct session *session, const struct place *place, const struct address *address, uint64_t *ret);

/* The caller owns *ret. EXIT_DONE, EXIT_MISSING, or trouble. */
int lookup(struct session *session, const struct place *place, uint64_t address, json_t **ret);

/* The path of vmad's own answer to that, for --json. 0, or -ENOMEM. */
int lookup_path(const struct place *place, uint64_t address, struct text *path);

/* The VMA at the address with what smaps adds; walks that VMA only. NULL where there is none any more. */
int lookup_usage(struct session *session, const struct place *place, uint64_t address, json_t **ret);

/* The path of that question. 0, or -ENOMEM. */
int lookup_usage_path(const struct place *place, uint64_t address, struct text *path);

/*
 * What the helper module says of the VMA at the address: vmad's answer of the route `ops` with its members in it. NULL
 * where there is none: no module, no right to ask it, no VMA. That is no trouble.
 */
json_t *lookup_ops(struct session *session, const struct place *place, uint64_t address);

/* An address member of a record; 0 where it has none. */
uint64_t lookup_member(const json_t *record, const char *name);

#endif
