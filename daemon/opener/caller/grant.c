/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/caller/grant.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <gnutls/crypto.h>

#include "opener/caller/caller.h"

#define HASH_BYTES 32
#define RANDOM_BYTES 32
#define MARK "vmad-"		/* tells those that search for lost secrets what it was */

_Static_assert(sizeof(MARK) + (RANDOM_BYTES * 8 + 5) / 6 == OPENER_TOKEN_SIZE, "the text has room");

struct grant {
	unsigned char hash[HASH_BYTES];
	uint64_t ends;			/* in seconds */
	uint64_t number;		/* in the order that they were made */
	struct vmad_caller *caller;	/* NULL: the place is free */
};

struct grants {
	pthread_mutex_t lock;
	uint64_t made;
	struct grant list[GRANTS_MAX];
};

int grants_new(struct grants **ret_grants)
{
	struct grants *grants = calloc(1, sizeof(*grants));

	if (!grants)
		return -ENOMEM;
	pthread_mutex_init(&grants->lock, NULL);
	*ret_grants = grants;
	return 0;
}

static void end_grant(struct grant *grant)
{
	free(grant->caller);
	*grant = (struct grant){ 0 };
}

void grants_free(struct grants *grants)
{
	if (!grants)
		return;
	for (size_t i = 0; i < GRANTS_MAX; i++)
		end_grant(&grants->list[i]);
	pthread_mutex_destroy(&grants->lock);
	free(grants);
}

static void end_expired(struct grants *grants, uint64_t now)
{
	for (size_t i = 0; i < GRANTS_MAX; i++) {
		if (grants->list[i].caller && grants->list[i].ends <= now)
			end_grant(&grants->list[i]);
	}
}

/* A free place: where the uid has as many as it may, or all are taken, that of its oldest. NULL: there is none. */
static struct grant *find_place(struct grants *grants, uid_t uid)
{
	struct grant *empty = NULL, *oldest = NULL;
	size_t count = 0;

	for (size_t i = 0; i < GRANTS_MAX; i++) {
		struct grant *grant = &grants->list[i];

		if (!grant->caller) {
			empty = grant;
		} else if (grant->caller->uid == uid) {
			count++;
			if (!oldest || grant->number < oldest->number)
				oldest = grant;
		}
	}
	return empty && count < GRANTS_PER_UID ? empty : oldest;
}

/* base64url, as it stands in the fragment of an address without an escape */
static void put_text(const unsigned char bytes[static RANDOM_BYTES], char *to)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned held = 0, bits = 0;

	to = stpcpy(to, MARK);
	for (size_t i = 0; i < RANDOM_BYTES; i++) {
		held = held << 8 | bytes[i];
		for (bits += 8; bits >= 6; bits -= 6)
			*to++ = digits[held >> (bits - 6) & 63];
	}
	if (bits)
		*to++ = digits[held << (6 - bits) & 63];
	*to = '\0';
}

static int make_token(char token[static OPENER_TOKEN_SIZE], unsigned char hash[static HASH_BYTES])
{
	unsigned char bytes[RANDOM_BYTES];
	int r = -EIO;

	if (getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes)) {
		put_text(bytes, token);
		r = gnutls_hash_fast(GNUTLS_DIG_SHA256, token, strlen(token), hash) < 0 ? -EIO : 0;
	}
	explicit_bzero(bytes, sizeof(bytes));
	return r;
}

static int put_grant(struct grants *grants, struct vmad_caller *caller, uint64_t now,
		     const unsigned char hash[static HASH_BYTES])
{
	struct grant *place;

	end_expired(grants, now);
	place = find_place(grants, caller->uid);
	if (!place)
		return -EDQUOT;
	end_grant(place);
	memcpy(place->hash, hash, HASH_BYTES);
	place->ends = now + GRANT_SECONDS;
	place->number = grants->made++;
	place->caller = caller;
	return 0;
}

int grants_make(struct grants *grants, const struct vmad_caller *caller, uint64_t now_seconds,
		char ret_token[static OPENER_TOKEN_SIZE])
{
	struct vmad_caller *copy = caller_copy(caller);
	char token[OPENER_TOKEN_SIZE];
	unsigned char hash[HASH_BYTES];
	int r = copy ? make_token(token, hash) : -ENOMEM;

	if (r == 0) {
		pthread_mutex_lock(&grants->lock);
		r = put_grant(grants, copy, now_seconds, hash);
		pthread_mutex_unlock(&grants->lock);
	}
	if (r == 0)
		memcpy(ret_token, token, sizeof(token));
	else
		free(copy);
	explicit_bzero(token, sizeof(token));
	return r;
}

/* Every place is looked at, and every hash compared in full, so that time tells nothing of which came close. */
static struct vmad_caller *find_caller(struct grants *grants, const unsigned char hash[static HASH_BYTES], uint64_t now)
{
	const struct vmad_caller *found = NULL;

	for (size_t i = 0; i < GRANTS_MAX; i++) {
		const struct grant *grant = &grants->list[i];

		if (gnutls_memcmp(grant->hash, hash, HASH_BYTES) == 0 && grant->caller && now < grant->ends)
			found = grant->caller;
	}
	return found ? caller_copy(found) : NULL;
}

struct vmad_caller *grants_find(struct grants *grants, const char *token, uint64_t now_seconds)
{
	unsigned char hash[HASH_BYTES];
	struct vmad_caller *found;

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, token, strlen(token), hash) < 0)
		return NULL;
	pthread_mutex_lock(&grants->lock);
	found = find_caller(grants, hash, now_seconds);
	pthread_mutex_unlock(&grants->lock);
	return found;
}
