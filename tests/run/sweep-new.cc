/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One bad_alloc is caught, one is not. */
#include <memory>
#include <new>
#include <vector>

__attribute__((noinline)) static bool caught()
{
	try {
		std::vector<int> v(10);

		return v.size() == 10;
	} catch (const std::bad_alloc &) {
		return false;
	}
}

__attribute__((noinline)) static int *uncaught()
{
	return new int(1);
}

int main()
{
	bool ok = caught();
	std::unique_ptr<int> p(uncaught());

	return ok && *p == 1 ? 0 : 2;
}
