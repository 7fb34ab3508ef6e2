/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An allocator that only the command line tells of: --alloc, --free, --realloc
 * by symbol and by place, with count, align and out.  It is made over malloc,
 * whose calls inside it fold into its own. */
#include "expect.h"

#define N 30

struct pool { int used; };

static struct pool pool;

__attribute__((noinline, used)) static void *pool_get(struct pool *p, size_t n)
{
	char *b = malloc(n + 16);

	p->used++;
	if (n > 1 << 20) {
		free(b);
		return NULL;
	}
	return b + 16;
}

__attribute__((noinline, used)) static void pool_put(struct pool *p, void *b)
{
	p->used--;
	free((char *)b - 16);
	KEEP(p);
}

__attribute__((noinline, used)) static void *pool_more(struct pool *p, void *b, size_t n)
{
	char *c = realloc((char *)b - 16, n + 16);

	KEEP(p);
	return c + 16;
}

__attribute__((noinline, used)) static int pool_many(void **out, size_t align, int n, int each)
{
	char *c;

	if (n > 100)
		return -1;
	c = malloc((size_t)n * (size_t)each + 16);
	KEEP(align);
	*out = c + 16;
	return 0;
}

/* As many arguments as can be named. */
__attribute__((noinline, used)) static int pool_far(int a, int b, int c, int d, int e, int f, size_t n,
						    void **out)
{
	char *p = malloc(n + 16);

	EXPECT_THAT(a + b + c + d + e + f == 21);
	*out = p + 16;
	return 0;
}

__attribute__((noinline)) static void use(void)
{
	void *p = pool_get(&pool, 40), *q = NULL, *r;

	KEEP(p);
	p = pool_more(&pool, p, 80);
	KEEP(p);
	pool_put(&pool, p);
	r = pool_get(&pool, 2 << 20);
	KEEP(r);
	EXPECT_THAT(!r);
	EXPECT_THAT(!pool_many(&q, 16, 3, 7));
	EXPECT_THAT(pool_many(&q, 16, 300, 7));
	pool_put(&pool, q);
	EXPECT_THAT(!pool_far(1, 2, 3, 4, 5, 6, 9, &q));
	pool_put(&pool, q);
}

int main(void)
{
	for (int i = 0; i < N; i++)
		use();
	expect("allocs", 4 * N);
	expect("frees", 4 * N);
	expect("bytes_allocated", (40 + 80 + 21 + 9) * N);
	expect("open_blocks", 0);
	expect("unknown_releases", 0);
	expect("error_count", 0);
	expect("failed", 2 * N);
	return 0;
}
