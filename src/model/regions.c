/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A treap: a search tree by address whose nodes are also a heap by random
 * priority, which keeps it flat.  Everything is made of two operations: split
 * the tree at an address, merge two trees that do not overlap. */
#include "base/hash.h"
#include "base/xalloc.h"
#include "model/regions.h"

struct node {
	struct region r;
	uint32_t priority;
	struct node *left, *right;
};

struct regions {
	struct node *root;
	size_t n;
	uint64_t seed;
};

struct regions *regions_new(void)
{
	return xcalloc(1, sizeof(struct regions));
}

static struct node *node_new(struct regions *rs, const struct region *r)
{
	struct node *n = xcalloc(1, sizeof *n);

	n->r = *r;
	n->priority = (uint32_t)hash_u64(++rs->seed);
	rs->n++;
	return n;
}

/* Nodes that begin below `at` to *low, the others to *high. */
static void split(struct node *n, taddr_t at, struct node **low, struct node **high)
{
	while (n) {
		if (n->r.start < at) {
			*low = n;
			low = &n->right;
			n = n->right;
		} else {
			*high = n;
			high = &n->left;
			n = n->left;
		}
	}
	*low = *high = NULL;
}

static struct node *merge(struct node *low, struct node *high)
{
	struct node *root, **at = &root;

	while (low && high) {
		if (low->priority > high->priority) {
			*at = low;
			at = &low->right;
			low = low->right;
		} else {
			*at = high;
			at = &high->left;
			high = high->left;
		}
	}
	*at = low ? low : high;
	return root;
}

static struct node *last_of(struct node *n)
{
	while (n && n->right)
		n = n->right;
	return n;
}

void regions_add(struct regions *rs, const struct region *r)
{
	struct node *low, *high;

	split(rs->root, r->start, &low, &high);
	rs->root = merge(merge(low, node_new(rs, r)), high);
}

struct cut {
	void (*fn)(void *arg, uint32_t stack, int ranges, uint64_t bytes);
	void *arg;
};

static void tell(const struct cut *c, uint32_t stack, int ranges, uint64_t bytes)
{
	if (c && c->fn)
		c->fn(c->arg, stack, ranges, bytes);
}

/* The one range that reaches over `start` from below: trimmed, or split.
 * Returns what is left of it above `end`, or NULL. */
static struct node *cut_below(struct regions *rs, struct node *n, taddr_t start, taddr_t end,
			      const struct cut *c)
{
	struct region rest;

	if (!n || n->r.end <= start)
		return NULL;
	rest = (struct region){ end, n->r.end, n->r.stack };
	n->r.end = start;
	if (rest.end <= end) {
		tell(c, rest.stack, 0, rest.end - start);
		return NULL;
	}
	tell(c, rest.stack, 1, end - start);
	return node_new(rs, &rest);
}

static void free_tree(struct regions *rs, struct node *n, const struct cut *c)
{
	while (n) {
		struct node *right = n->right;

		free_tree(rs, n->left, c);
		tell(c, n->r.stack, -1, n->r.end - n->r.start);
		free(n);
		rs->n--;
		n = right;
	}
}

void regions_cut(struct regions *rs, taddr_t start, taddr_t end,
		 void (*fn)(void *arg, uint32_t stack, int ranges, uint64_t bytes), void *arg)
{
	struct cut c = { fn, arg };
	struct node *low, *middle, *high, *rest, *last;

	if (start >= end)
		return;
	split(rs->root, start, &low, &high);
	split(high, end, &middle, &high);
	rest = cut_below(rs, last_of(low), start, end, &c);
	/* The last one of those that begin inside may reach over `end`: its
	 * upper part stays. */
	last = last_of(middle);
	if (last && last->r.end > end) {
		split(middle, last->r.start, &middle, &last);
		tell(&c, last->r.stack, 0, end - last->r.start);
		last->r.start = end;
		rest = merge(rest, last);
	}
	free_tree(rs, middle, &c);
	rs->root = merge(merge(low, rest), high);
}

static struct node *copy_tree(const struct node *n)
{
	struct node *c;

	if (!n)
		return NULL;
	c = xmemdup(n, sizeof *n);
	c->left = copy_tree(n->left);
	c->right = copy_tree(n->right);
	return c;
}

struct regions *regions_copy(const struct regions *of)
{
	struct regions *rs = xmemdup(of, sizeof *of);

	rs->root = copy_tree(of->root);
	return rs;
}

void regions_free(struct regions *rs)
{
	if (!rs)
		return;
	free_tree(rs, rs->root, NULL);
	free(rs);
}

bool regions_next(const struct regions *rs, taddr_t addr, struct region *out)
{
	const struct node *found = NULL;

	for (const struct node *n = rs->root; n;) {
		if (n->r.end > addr) {
			found = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	if (found)
		*out = found->r;
	return found;
}

static void each(const struct node *n, void (*fn)(void *, const struct region *), void *arg)
{
	for (; n; n = n->right) {
		each(n->left, fn, arg);
		fn(arg, &n->r);
	}
}

void regions_each(const struct regions *rs, void (*fn)(void *arg, const struct region *), void *arg)
{
	each(rs->root, fn, arg);
}

size_t regions_count(const struct regions *rs)
{
	return rs->n;
}
