/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client does with time: signs of life, and an end with a server that gives none.
 * The clock is made up, and so is the server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/msg.h"
#include "heap/heap.h"
#include "made-up-clock.h"
#include "ui/client.h"

/* Up to WIRE_READY. */
static void greet(int fd)
{
	struct wire_hello hello = { .version = WIRE_VERSION, .tool = "test" };
	struct strbuf out = STRBUF_INIT;
	struct wire_encoder e = WIRE_ENCODER_INIT(&out);

	wire_encode_hello(&e, &hello);
	wire_encode_record(&e, WIRE_STATE, NULL, 0);
	wire_encode_text(&e, WIRE_READY, NULL);
	assert_int_equal(write(fd, out.s, out.n), out.n);
	strbuf_release(&out);
}

static void ping(int fd)
{
	struct strbuf out = STRBUF_INIT;
	struct wire_encoder e = WIRE_ENCODER_INIT(&out);

	wire_encode_record(&e, WIRE_PING, NULL, 0);
	assert_int_equal(write(fd, out.s, out.n), out.n);
	strbuf_release(&out);
}

/* The records that the client has sent. */
static unsigned heard(int fd, uint16_t type)
{
	char bytes[4096];
	struct wire_record r;
	ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT), len;
	unsigned count = 0;

	for (ssize_t at = 0; at < n; at += len) {
		len = wire_next(bytes + at, (size_t)(n - at), &r);
		assert_true(len > 0);
		count += r.type == type;
	}
	return count;
}

static void test_silence(void **state)
{
	struct heap *heap = heap_new();
	struct client *c;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	greet(fds[1]);
	c = client_open(&(struct client_opts){ .fd = fds[0], .peer = "test", .sink = heap_sink(heap) });
	assert_non_null(c);
	assert_int_equal(heard(fds[1], WIRE_LOGIN), 1);
	assert_int_equal(client_take(c), 1);
	assert_int_equal(heard(fds[1], WIRE_PING), 0);
	/* Its own silence it breaks each quarter of a minute; the server's ends after a
	 * minute. */
	for (int quarter = 0; quarter < 3; quarter++) {
		seconds_ahead += 15;
		assert_int_equal(client_take(c), 1);
		assert_int_equal(heard(fds[1], WIRE_PING), 1);
	}
	ping(fds[1]);
	assert_int_equal(client_take(c), 1);
	seconds_ahead += 45;
	assert_int_equal(client_take(c), 1);
	msg_set_level(MSG_QUIET);
	seconds_ahead += 16;
	assert_int_equal(client_take(c), -1);
	assert_int_equal(client_take(c), -1);
	client_close(c);
	close(fds[1]);
	heap_free(heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
