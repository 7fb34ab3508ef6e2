/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One shape of reachable, lost or half-lost memory for each argument.  All of it
 * is initialised, so that memcheck must say the same (tests/real/leaks.py). */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "expect.h"

#define NOINLINE __attribute__((noinline, noclone))

struct node {
	struct node *left, *right;
	long payload[2];
};

static void *volatile global;
static __thread void *volatile local;

NOINLINE static void *block(size_t size)
{
	void *p = calloc(1, size);

	KEEP(p);
	return p;
}

static struct node *node(struct node *left, struct node *right)
{
	struct node *n = block(sizeof *n);

	n->left = left;
	n->right = right;
	return n;
}

static void classes(int definite, int indirect, int possible, int reachable)
{
	expect("leaks.definite.blocks", definite);
	expect("leaks.indirect.blocks", indirect);
	expect("leaks.possible.blocks", possible);
#ifdef LIBC_ALLOCATES /* a static program's, for itself */
	expect("leaks.reachable.blocks >=", reachable);
#else
	expect("leaks.reachable.blocks", reachable);
#endif
}

/* -- lost ------------------------------------------------------------------------- */

NOINLINE static void chain(void)
{
	struct node *n = NULL;

	for (int i = 0; i < 10; i++)
		n = node(n, NULL);
	KEEP(n);
	classes(1, 9, 0, 0);
}

NOINLINE static void cycle(void)
{
	struct node *a = node(NULL, NULL), *b = node(a, NULL);

	a->right = b;
	classes(1, 1, 0, 0);
}

/* A cycle that another lost block points into, which comes later and finds the
 * cycle done with: so memcheck. */
NOINLINE static void captured(void)
{
	struct node *a = node(NULL, NULL), *b = node(a, NULL), *c;

	a->right = b;
	c = node(b, NULL);
	KEEP(c);
	classes(2, 1, 0, 0);
}

NOINLINE static struct node *make_tree(int depth)
{
	return depth ? node(make_tree(depth - 1), make_tree(depth - 1)) : NULL;
}

NOINLINE static void tree(void)
{
	struct node *n = make_tree(5);

	KEEP(n);
	classes(1, 30, 0, 0);
}

/* The allocator's top chunk begins in the last bytes of such a block, and the
 * chunk before a free one is pointed to by a bin. */
NOINLINE static void odd_sizes(void)
{
	void *hole[8];

	for (int i = 0; i < 8; i++) {
		block(24 + 16 * (size_t)i);
		hole[i] = block(2000);
		block(24);
	}
	for (int i = 0; i < 8; i++)
		free(hole[i]);
	block(3000); /* sorts the free ones into their bins */
	block(24);
	classes(18, 0, 0, 0);
}

NOINLINE static void in_freed(void)
{
	struct node *n = node(block(100), NULL);

	free(n);
	classes(1, 0, 0, 0);
}

NOINLINE static void past_end(void)
{
	global = (char *)block(64) + 64;
	classes(1, 0, 0, 0);
}

NOINLINE static void deep(int depth)
{
	void *volatile held[16];

	for (int i = 0; i < 16; i++)
		held[i] = block(40);
	if (depth)
		deep(depth - 1);
	KEEP(depth);
	(void)held[0];
}

/* What a stack held that has shrunk. */
NOINLINE static void shrunk(void)
{
	deep(20);
	classes(21 * 16, 0, 0, 0);
}

/* -- half lost ----------------------------------------------------------------------- */

NOINLINE static void interior(void)
{
	struct node *n = node(block(50), NULL);

	global = &n->payload[1];
	classes(0, 0, 2, 0);
}

NOINLINE static void last_byte(void)
{
	global = (char *)block(64) + 63;
	classes(0, 0, 1, 0);
}

/* -- reachable ------------------------------------------------------------------------- */

NOINLINE static void in_tls(void)
{
	local = node(block(30), NULL);
	classes(0, 0, 0, 2);
}

static pthread_key_t key, many[60];

NOINLINE static void in_key(void)
{
	pthread_key_create(&key, NULL);
	pthread_setspecific(key, block(70));
	for (int i = 0; i < 60; i++) {
		pthread_key_create(&many[i], NULL);
		if (i == 50) /* in a block of its own, beyond the first 32 */
			pthread_setspecific(many[i], block(80));
	}
	/* glibc's keys beyond the first 32 are in a block. */
#ifdef __GLIBC__
	classes(0, 0, 0, 3);
#else
	classes(0, 0, 0, 2);
#endif
}

static volatile int there;

static void *holder(void *arg)
{
	void *volatile mine = block(90);

	(void)arg;
	there = 1;
	for (;;)
		pause();
	return (void *)(uintptr_t)mine;
}

NOINLINE static void other_stack(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, holder, NULL))
		_exit(97);
	while (!there)
		usleep(1000);
	usleep(20000);
	/* glibc: the thread's vector of modules is pointed to in its middle. */
#ifdef __GLIBC__
	classes(0, 0, 1, 1);
#else
	classes(0, 0, 0, 1);
#endif
}

#ifdef __GLIBC__
static ucontext_t back, away;

static void coroutine(void)
{
	void *volatile mine = block(110);

	swapcontext(&away, &back);
	(void)mine;
}

NOINLINE static void context(void)
{
	getcontext(&away);
	away.uc_stack.ss_sp = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	away.uc_stack.ss_size = 65536;
	away.uc_link = &back;
	makecontext(&away, coroutine, 0);
	swapcontext(&back, &away);
	memset(&away, 0, sizeof away);
	classes(0, 0, 0, 1);
}
#endif

NOINLINE static void shared(void)
{
	void **p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	p[700] = block(120);
	classes(0, 0, 0, 1);
}

NOINLINE static void own_mapping(void)
{
	void **p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p[70000] = block(120);
	classes(0, 0, 0, 1);
}

/* Blocks that have a mapping of their own. */
NOINLINE static void huge(void)
{
	void **p = block(1 << 20);

	p[100000] = node(block(200000), NULL);
	global = p;
	block(300000);
	classes(1, 0, 0, 3);
}

NOINLINE static void reallocated(void)
{
	void **p = malloc(sizeof *p * 1000);

	p[0] = block(44);
	for (size_t n = 2000; n < 200000; n *= 2) {
		p = realloc(p, sizeof *p * n);
		memset(p + n / 2, 0, n / 2 * sizeof *p);
	}
	global = p;
	classes(0, 0, 0, 2);
}

/* -- ------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(void);
} shapes[] = {
	{ "chain", chain },	  { "cycle", cycle },	    { "captured", captured },
	{ "tree", tree },	  { "odd-sizes", odd_sizes }, { "in-freed", in_freed },
	{ "past-end", past_end }, { "shrunk", shrunk },	    { "interior", interior },
	{ "last-byte", last_byte }, { "in-tls", in_tls },   { "in-key", in_key },
	{ "other-stack", other_stack }, { "shared", shared }, { "own-mapping", own_mapping },
	{ "huge", huge },	  { "reallocated", reallocated },
#ifdef __GLIBC__
	{ "context", context },
#endif
};

/* Overwrites what earlier calls have left below. */
NOINLINE static void scrub(void)
{
	char room[16384];
	char *p = room;

	memset(p, 0, sizeof room);
	KEEP(p);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
		if (argc > 1 && !strcmp(argv[1], shapes[i].name)) {
			shapes[i].run();
			scrub();
			return 0;
		}
	return 96;
}
