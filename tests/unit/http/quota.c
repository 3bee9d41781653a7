/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quota: who is one too many, and who gives way. */
#include "unit.h"

#include "http/quota.h"

static struct quota_tally tally_of(unsigned of_peer, unsigned of_others)
{
	struct quota_tally tally = { 0 };

	for (unsigned i = 0; i < of_peer + of_others; i++)
		quota_count(&tally, CONNECTION_WITHIN, i < of_peer);
	return tally;
}

static void of_a_peer(void **state)
{
	struct quota_tally most = tally_of(CONNECTIONS_UID - 1, 0), more = tally_of(CONNECTIONS_UID, 0);
	struct quota_tally address = tally_of(CONNECTIONS_ADDRESS, 0);

	(void)state;
	assert_int_equal(quota_judge(&most, LISTENER_UNIX), CONNECTION_WITHIN);
	assert_int_equal(quota_judge(&more, LISTENER_UNIX), CONNECTION_OVER_PEER);
	assert_int_equal(quota_judge(&more, LISTENER_UNIX_ROOT), CONNECTION_OVER_PEER);
	assert_int_equal(quota_judge(&address, LISTENER_TCP), CONNECTION_OVER_PEER);
	assert_int_equal(quota_judge(&address, LISTENER_UNIX), CONNECTION_WITHIN);
}

static void of_a_listener(void **state)
{
	static const struct {
		enum listener_kind kind;
		unsigned quota;
	} rows[] = { { LISTENER_UNIX, CONNECTIONS_UNIX }, { LISTENER_UNIX_ROOT, CONNECTIONS_ROOT }, { LISTENER_TCP, CONNECTIONS_TCP } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct quota_tally most = tally_of(0, rows[i].quota - 1), more = tally_of(0, rows[i].quota);

		assert_int_equal(quota_judge(&most, rows[i].kind), CONNECTION_WITHIN);
		assert_int_equal(quota_judge(&more, rows[i].kind), CONNECTION_OVER_LISTENER);
		assert_true(quota_connections(rows[i].kind) > rows[i].quota + CONNECTIONS_OVER);
	}
}

/* Those that are over do not take a place of those that are not. */
static void above(void **state)
{
	struct quota_tally tally = { 0 };

	(void)state;
	for (unsigned i = 0; i < CONNECTIONS_OVER; i++) {
		assert_false(quota_is_full(&tally));
		quota_count(&tally, CONNECTION_OVER_LISTENER, false);
	}
	assert_true(quota_is_full(&tally));
	assert_int_equal(quota_judge(&tally, LISTENER_UNIX), CONNECTION_WITHIN);
	tally = (struct quota_tally){ 0 };
	for (unsigned i = 0; i < CONNECTIONS_OVER_PEER; i++) {
		assert_false(quota_is_full(&tally));
		quota_count(&tally, CONNECTION_OVER_PEER, true);
	}
	assert_true(quota_is_full(&tally));
}

static void patience(void **state)
{
	struct quota_tally none = tally_of(0, 20), one = tally_of(1, 0), many = tally_of(9, 0);

	(void)state;
	assert_int_equal(quota_patience(&none, LISTENER_UNIX, CONNECTION_WITHIN), 0);
	assert_int_equal(quota_patience(&one, LISTENER_UNIX, CONNECTION_WITHIN), PATIENCE_STEP);
	assert_int_equal(quota_patience(&none, LISTENER_TCP, CONNECTION_WITHIN), PATIENCE_TCP * PATIENCE_STEP);
	assert_int_equal(quota_patience(&many, LISTENER_UNIX, CONNECTION_WITHIN), PATIENCE_MAX);
	assert_int_equal(quota_patience(&none, LISTENER_UNIX, CONNECTION_OVER_LISTENER), PATIENCE_MAX);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a uid and an address have a quota each", of_a_peer),
		CASE("a listener has one for all", of_a_listener),
		CASE("what is above a quota is counted apart, and bounded", above),
		CASE("whoever has many connections gives way", patience),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
