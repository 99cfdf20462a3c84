// SPDX-License-Identifier: MIT
// delete_twice.cc - delete an array twice
#include "misuse.h"

int main()
{
	char *p = new char[64];

	say(p, p);
	delete[] p;
	delete[] p;
	return 0;
}
