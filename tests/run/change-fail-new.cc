/* SPDX-License-Identifier: GPL-2.0-or-later */
/* With --inject malloc:fail:min-size=1000: operators throw, after they have asked
 * the handler. */
#include <new>
#include <string>
#include <vector>

#include "expect.h"

static int handled;

static void handler()
{
	handled++;
	std::set_new_handler(nullptr);
}

template <typename F> static bool throws(F f)
{
	try {
		f();
	} catch (const std::bad_alloc &) {
		return true;
	}
	return false;
}

struct alignas(64) wide {
	char bytes[2048];
};

int main()
{
	std::size_t n = 1000;
	std::vector<char> v;

	KEEP(n);
#ifdef LIBC_ALLOCATES /* for its own tables of a static program */
	expect("failed >=", 8);
#else
	expect("failed", 8);
#endif
	EXPECT_THAT(throws([&] { char *p = new char[n]; KEEP(p); }));
	EXPECT_THAT(throws([&] { void *p = ::operator new(n); KEEP(p); }));
	EXPECT_THAT(throws([&] { wide *p = new wide; KEEP(p); }));
	EXPECT_THAT(throws([&] { v.reserve(n); }) && v.empty());
	EXPECT_THAT(throws([&] { std::string s(n, 'x'); char *q = &s[0]; KEEP(q); }));
	char *p = new (std::nothrow) char[n];
	EXPECT_THAT(!p);
	v.reserve(n - 1);
	EXPECT_THAT(v.capacity() == n - 1);
	/* asked twice */
	std::set_new_handler(handler);
	EXPECT_THAT(throws([&] { char *q = new char[n]; KEEP(q); }) && handled == 1);
	return 0;
}
