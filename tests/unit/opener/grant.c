/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grant: tokens of vmad's own: whose they are, for how long, and how many. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "opener/caller/caller.h"
#include "opener/caller/grant.h"

#define NOW 1000

static void drop(struct vmad_caller **caller)
{
	free(*caller);
}

#define PERSON __attribute__((cleanup(drop))) struct vmad_caller *

static struct vmad_caller *user(uid_t uid)
{
	struct vmad_caller *caller = caller_new(2);

	assert_non_null(caller);
	caller->class = VMAD_CALLER_USER;
	caller->uid = uid;
	caller->gid = 7;
	caller->groups[0] = 4;
	caller->groups[1] = 27;
	return caller;
}

static struct grants *none(void)
{
	struct grants *grants;

	assert_int_equal(grants_new(&grants), 0);
	return grants;
}

static bool is_of(struct grants *grants, const char *token, uint64_t now, const struct vmad_caller *wanted)
{
	struct vmad_caller *found = grants_find(grants, token, now);
	bool is = found && vmad_caller_equal(found, wanted);

	free(found);
	return is;
}

static void its_own_identity(void **state)
{
	struct grants *grants = none();
	PERSON one = user(1000);
	PERSON root = user(0);
	char first[OPENER_TOKEN_SIZE], second[OPENER_TOKEN_SIZE];

	(void)state;
	root->class = VMAD_CALLER_ROOT;
	assert_int_equal(grants_make(grants, one, NOW, first), 0);
	assert_int_equal(grants_make(grants, root, NOW, second), 0);
	assert_string_not_equal(first, second);
	assert_int_equal(strlen(first), strlen("vmad-") + 43);
	assert_int_equal(strspn(first, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), strlen(first));
	assert_true(is_of(grants, first, NOW, one));
	assert_true(is_of(grants, second, NOW, root));
	assert_false(is_of(grants, first, NOW, root));
	grants_free(grants);
}

static void nobody(void **state)
{
	struct grants *grants = none();
	PERSON one = user(1000);
	char token[OPENER_TOKEN_SIZE];

	(void)state;
	assert_null(grants_find(grants, "", NOW));
	assert_int_equal(grants_make(grants, one, NOW, token), 0);
	assert_null(grants_find(grants, "", NOW));
	token[strlen(token) - 1] ^= 1;
	assert_null(grants_find(grants, token, NOW));
	token[strlen(token) - 1] = '\0';
	assert_null(grants_find(grants, token, NOW));
	grants_free(grants);
	grants_free(NULL);
}

static void it_ends(void **state)
{
	struct grants *grants = none();
	PERSON one = user(1000);
	char token[OPENER_TOKEN_SIZE], later[OPENER_TOKEN_SIZE];

	(void)state;
	assert_int_equal(grants_make(grants, one, NOW, token), 0);
	assert_true(is_of(grants, token, NOW + 8 * 3600 - 1, one));
	assert_null(grants_find(grants, token, NOW + 8 * 3600));
	assert_int_equal(grants_make(grants, one, NOW + 8 * 3600, later), 0);
	assert_true(is_of(grants, later, NOW + 8 * 3600, one));
	assert_null(grants_find(grants, token, NOW));
	grants_free(grants);
}

/* One more than it may have ends the oldest of that uid, and none of another. */
static void so_many_of_a_uid(void **state)
{
	struct grants *grants = none();
	PERSON one = user(1000);
	PERSON two = user(1001);
	char tokens[GRANTS_PER_UID + 1][OPENER_TOKEN_SIZE], other[OPENER_TOKEN_SIZE];

	(void)state;
	assert_int_equal(grants_make(grants, two, NOW - 1, other), 0);
	for (int i = 0; i <= GRANTS_PER_UID; i++)
		assert_int_equal(grants_make(grants, one, NOW, tokens[i]), 0);
	assert_null(grants_find(grants, tokens[0], NOW + 100));
	for (int i = 1; i <= GRANTS_PER_UID; i++)
		assert_true(is_of(grants, tokens[i], NOW + 100, one));
	assert_true(is_of(grants, other, NOW + 100, two));
	grants_free(grants);
}

static void so_many_in_all(void **state)
{
	struct grants *grants = none();
	char token[OPENER_TOKEN_SIZE], last[OPENER_TOKEN_SIZE];

	(void)state;
	for (unsigned i = 0; i < GRANTS_MAX; i++) {
		PERSON one = user(i);

		assert_int_equal(grants_make(grants, one, NOW, last), 0);
	}
	PERSON one = user(GRANTS_MAX);
	PERSON again = user(GRANTS_MAX - 1);

	assert_int_equal(grants_make(grants, one, NOW, token), -EDQUOT);
	assert_int_equal(grants_make(grants, again, NOW, token), 0);
	assert_null(grants_find(grants, last, NOW));
	assert_int_equal(grants_make(grants, one, NOW + 8 * 3600, token), 0);
	grants_free(grants);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a token is the identity that it was made for", its_own_identity),
		CASE("other words are nobody's", nobody),
		CASE("it ends after eight hours", it_ends),
		CASE("one more than a uid may have ends its oldest, and no other", so_many_of_a_uid),
		CASE("when all places are taken, only those who have one get one", so_many_in_all),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
