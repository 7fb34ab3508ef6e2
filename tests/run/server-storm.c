/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Eight threads take, enlarge and release blocks, and find every byte as they left
 * it, until the standard input ends; then it says "fine".  Others begin and end
 * meanwhile. */
#include <pthread.h>
#include <stdint.h>

#include "expect.h"

enum { THREADS = 8, BLOCKS = 16 };

static volatile int over;

static void fill(unsigned char *p, size_t size)
{
	memset(p, (int)(size & 0xff), size);
}

static void check(const unsigned char *p, size_t size)
{
	if (p[0] != (size & 0xff) || p[size - 1] != (size & 0xff))
		abort();
}

static void *nothing(void *arg)
{
	free(malloc(10));
	return arg;
}

static void *storm(void *arg)
{
	unsigned char *block[BLOCKS] = { 0 };
	size_t size[BLOCKS];
	unsigned v = (unsigned)(uintptr_t)arg;

	while (!over) {
		unsigned i = (v = v * 1664525 + 1013904223) >> 28;
		pthread_t t;

		if (!block[i]) {
			size[i] = 1 + (v >> 8) % 500;
			block[i] = malloc(size[i]);
			fill(block[i], size[i]);
		} else if (v & 0x10000) {
			check(block[i], size[i]);
			size[i] += 20;
			block[i] = realloc(block[i], size[i]);
			fill(block[i], size[i]);
		} else {
			check(block[i], size[i]);
			free(block[i]);
			block[i] = NULL;
		}
		if (v % 1000 == 0 && !pthread_create(&t, NULL, nothing, NULL))
			pthread_join(t, NULL);
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		free(block[i]);
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	char c;

	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, storm, (void *)(i + 1)))
			return 99;
	if (write(1, "ready\n", 6) != 6)
		return 98;
	while (read(0, &c, 1) > 0)
		;
	over = 1;
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	return write(1, "fine\n", 5) != 5;
}
