/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Coroutines on stacks of their own (swapcontext), on the heap, in mappings
 * above and below each other: each allocates, switches away, is resumed by
 * another thread than before, and frees; a pending call of one is never taken
 * for another's.
 * Build: -pthread.  Run: traced from the start. */
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "expect.h"

#define COROUTINES 8
#define STACK 65536
#define ROUNDS 60

static struct coroutine {
	ucontext_t here, caller;
	char *stack;
	unsigned char *held[3];
	int round, done;
} co[COROUTINES];

__attribute__((noinline)) static unsigned char *context_alloc(size_t n, int mark)
{
	unsigned char *p = malloc(n);

	KEEP(p);
	EXPECT_THAT(p);
	memset(p, mark, n);
	return p;
}

/* Deeper each time, so that stack pointers of coroutines interleave. */
static void descend(struct coroutine *c, int depth)
{
	volatile char room[64];

	room[0] = (char)depth;
	if (depth > 0) {
		descend(c, depth - 1);
		EXPECT_THAT(room[0] == (char)depth);
		return;
	}
	c->held[c->round % 3] = context_alloc(32 + (size_t)c->round, c->round);
	swapcontext(&c->here, &c->caller);
}

static void body(int which)
{
	struct coroutine *c = &co[which];

	for (; c->round < ROUNDS; c->round++) {
		unsigned char **slot = &c->held[c->round % 3];

		if (*slot)
			EXPECT_THAT(**slot == (unsigned char)(c->round - 3));
		free(*slot);
		descend(c, c->round % 7);
		EXPECT_THAT(**slot == (unsigned char)c->round);
	}
	for (int i = 0; i < 2; i++)
		free(c->held[i]);
	c->done = 1;
	swapcontext(&c->here, &c->caller);
}

static void *resume_all(void *arg)
{
	for (int i = 0; i < COROUTINES; i++)
		if (!co[i].done)
			swapcontext(&co[i].caller, &co[i].here);
	return arg;
}

static char *new_stack(int i)
{
	char *p;

	if (i % 2)
		return malloc(STACK);
	p = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_THAT(p != MAP_FAILED);
	return p;
}

int main(void)
{
	pthread_t t;

	for (int i = 0; i < COROUTINES; i++) {
		EXPECT_THAT(!getcontext(&co[i].here));
		co[i].stack = new_stack(i);
		co[i].here.uc_stack.ss_sp = co[i].stack;
		co[i].here.uc_stack.ss_size = STACK;
		makecontext(&co[i].here, (void (*)(void))body, 1, i);
	}
	for (int r = 0; r <= ROUNDS; r++)
		if (r % 4) {
			resume_all(NULL);
		} else {
			EXPECT_THAT(!pthread_create(&t, NULL, resume_all, NULL));
			pthread_join(t, NULL);
		}
	for (int i = 0; i < COROUTINES; i++)
		EXPECT_THAT(co[i].done && co[i].round == ROUNDS);
	expect_stack("context_alloc", "total_blocks", COROUTINES * ROUNDS);
	expect_stack("context_alloc", "open_blocks", COROUTINES);
	return 0;
}
