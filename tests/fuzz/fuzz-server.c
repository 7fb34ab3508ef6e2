/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hostile client: what the server makes of its bytes (src/ui/server-peer.c).
 *
 * With clang: -fsanitize=fuzzer,address -DLIBFUZZER.  Without, main() damages a
 * conversation at places that a fixed seed chooses, for FUZZ_SECONDS (5) seconds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/msg.h"
#include "../../src/serve/server-peer.h"
#include "serve/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was said must be whole, in order, and within bounds. */
static void check(const struct peer *p, enum peer_says says, bool was_in)
{
	if ((says == PEER_LOGIN) == was_in && says != PEER_MORE && says != PEER_WRONG)
		BUG("a login %s", was_in ? "comes again" : "is not the first");
	if (says == PEER_LOGIN && token_equal("secret!", p->login.token) &&
	    strcmp(p->login.token, "secret!"))
		BUG("a wrong token is right");
	if (says == PEER_WRONG && !p->why)
		BUG("no reason");
	if (p->in.n - p->at > PEER_BUFFER)
		BUG("%zu bytes are kept", p->in.n - p->at);
}

/* The first byte says in what pieces the rest comes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer p = { .why = NULL };
	size_t piece = size ? 1 + data[0] * 17u : 1, at = 1;

	while (at < size && peer_room(&p)) {
		size_t n = MIN(MIN(piece, size - at), peer_room(&p));
		enum peer_says says;

		peer_feed(&p, data + at, n);
		at += n;
		do {
			bool was_in = p.logged_in;

			says = peer_next(&p);
			check(&p, says, was_in);
		} while (says != PEER_MORE && says != PEER_WRONG);
		if (says == PEER_MORE && !peer_room(&p))
			BUG("no room, and nothing said");
		if (says == PEER_WRONG && (peer_room(&p) || peer_next(&p) != PEER_WRONG))
			BUG("it was heard again");
	}
	peer_release(&p);
	return 0;
}

#ifndef LIBFUZZER
static uint64_t seed = 5;

static uint64_t rnd(void)
{
	return hash_u64(seed += 0x9e3779b97f4a7c15u);
}

static void make_conversation(struct strbuf *sb)
{
	struct wire_encoder e = WIRE_ENCODER_INIT(sb);

	strbuf_addc(sb, (char)rnd());
	wire_encode_login(&e, &(struct wire_login){ "secret!", "fuzz", rnd() % 2, rnd() % 2 });
	for (unsigned i = 0; i < 12; i++) {
		wire_encode_request(&e, &(struct request){ i, (uint8_t)(rnd() % 16), (pid_t)(rnd() >> 40),
							   rnd(), rnd(), (const uint8_t *)"rows",
							   (uint32_t)(rnd() % 5) });
		if (rnd() % 4 == 0)
			wire_encode_record(&e, WIRE_PING, NULL, 0);
		if (rnd() % 8 == 0)
			wire_encode_record(&e, (enum wire_type)(rnd() % 80), "0123456789", rnd() % 10);
		if (rnd() % 32 == 0)
			wire_encode_login(&e, &(struct wire_login){ 0 });
	}
}

static void damage(struct strbuf *sb)
{
	for (uint64_t n = rnd() % 6; n; n--)
		sb->s[rnd() % sb->n] = (char)(rnd() % 3 ? rnd() : 0xff);
	if (rnd() % 4 == 0)
		sb->n = 1 + rnd() % sb->n;
}

int main(void)
{
	const char *text = getenv("FUZZ_SECONDS");
	time_t end = time(NULL) + (text ? atoi(text) : 5);
	struct strbuf sb = STRBUF_INIT;
	unsigned long runs = 0;

	do {
		strbuf_reset(&sb);
		make_conversation(&sb);
		if (runs % 8)
			damage(&sb);
		LLVMFuzzerTestOneInput((const uint8_t *)sb.s, sb.n);
		runs++;
	} while (runs % 64 || time(NULL) < end);
	strbuf_release(&sb);
	printf("ok 1 - %lu conversations\n1..1\n", runs);
	return 0;
}
#endif
