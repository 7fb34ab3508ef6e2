/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing array.  `VEC(struct foo) v = {0};` then vec_push(&v, x), v.v[i]
 * for i < v.n, vec_release(&v).  Pointers into it are lost when it grows. */
#ifndef MTRACE_BASE_VEC_H
#define MTRACE_BASE_VEC_H

#include "base/xalloc.h"

#define VEC(type)          \
	struct {           \
		type *v;   \
		size_t n, cap; \
	}

/* Room for `count` elements in all. */
#define vec_reserve(vec, count)                                                   \
	do {                                                                      \
		size_t vec_want_ = (count);                                       \
		if (vec_want_ > (vec)->cap) {                                     \
			(vec)->cap = MAX(vec_want_, (vec)->cap * 2);              \
			(vec)->cap = MAX((vec)->cap, (size_t)8);                  \
			(vec)->v = xrealloc((vec)->v, (vec)->cap, sizeof *(vec)->v); \
		}                                                                 \
	} while (0)

#define vec_push(vec, ...)                            \
	do {                                          \
		vec_reserve((vec), (vec)->n + 1);     \
		(vec)->v[(vec)->n++] = (__VA_ARGS__); \
	} while (0)

/* Removes element i and keeps the order of the rest. */
#define vec_remove(vec, i)                                                 \
	do {                                                               \
		size_t vec_at_ = (i);                                      \
		(vec)->n--;                                                \
		memmove((vec)->v + vec_at_, (vec)->v + vec_at_ + 1,        \
			((vec)->n - vec_at_) * sizeof *(vec)->v);          \
	} while (0)

/* Removes element i; the last one takes its place. */
#define vec_remove_swap(vec, i)                              \
	do {                                                 \
		size_t vec_at_ = (i);                        \
		(vec)->v[vec_at_] = (vec)->v[--(vec)->n];    \
	} while (0)

#define vec_release(vec)          \
	do {                      \
		free((vec)->v);   \
		(vec)->v = NULL;  \
		(vec)->n = (vec)->cap = 0; \
	} while (0)

/* Strings that are its own. */
struct strings {
	char **v;
	size_t n, cap;
};

static inline void strings_release(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	vec_release(s);
}

#endif
