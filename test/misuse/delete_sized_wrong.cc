// SPDX-License-Identifier: MIT
// delete_sized_wrong.cc - sized delete with a size of another class
#include <new>

#include "misuse.h"

int main()
{
	void *p = ::operator new(64);

	::operator delete(say(p, p), 100);
	return 0;
}
