/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every form of operator new and delete; each counts once, whatever it calls. */
#include <new>

#include "expect.h"

namespace {

struct alignas(128) wide {
	char bytes[128];
};

struct plain {
	long v[3];
};

struct counted {
	~counted() { value = 0; }
	int value = 1;
};

template <typename T> T *keep(T *p)
{
	KEEP(p);
	return p;
}

} // namespace

extern "C" __attribute__((noinline)) void released()
{
	delete keep(new plain);
	delete[] keep(new plain[4]);
	delete keep(new (std::nothrow) plain);
	delete[] keep(new (std::nothrow) plain[2]);
	delete keep(new wide);
	delete[] keep(new wide[3]);
	delete keep(new (std::nothrow) wide);
	::operator delete(keep(::operator new(40)));
	::operator delete(keep(::operator new(41)), std::size_t(41));
	::operator delete[](keep(::operator new[](42)), std::nothrow);
	::operator delete(keep(::operator new(64, std::align_val_t(64))), std::align_val_t(64));
}

extern "C" __attribute__((noinline)) void left_open()
{
	keep(new plain);
	keep(new counted[5]); /* with a cookie in front that holds the 5 */
	keep(::operator new(7, std::align_val_t(32)));
}

extern "C" __attribute__((noinline)) void refused()
{
	std::size_t huge = static_cast<std::size_t>(-1) / 2 + 1;
	bool caught = false;

	KEEP(huge);
	EXPECT_THAT(!::operator new(huge, std::nothrow));
	try {
		keep(::operator new(huge));
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	EXPECT_THAT(caught);
}

int main()
{
	long long p = sizeof(plain), w = sizeof(wide);
#ifdef __arm__ /* the size of an element, too (C++ ABI for the Arm Architecture, 3.2.2) */
	long long cookie = 2 * sizeof(std::size_t);
#else
	long long cookie = sizeof(std::size_t);
#endif

	released();
	left_open();
	refused();
	expect_stack("released", "total_blocks", 11);
	expect_stack("released", "total_bytes",
		     p + 4 * p + p + 2 * p + w + 3 * w + w + 40 + 41 + 42 + 64);
	expect_stack("released", "open_blocks", 0);
	expect_stack("left_open", "total_blocks", 3);
	expect_stack("left_open", "open_blocks", 3);
	expect_stack("left_open", "open_bytes",
		     p + 5 * (long long)sizeof(counted) + cookie + 7);
	expect_stack("refused", "open_blocks", 0);
	expect("failed >=", 2);
	expect("exit_code", 0);
	return 0;
}
